/* xml.h: the one XML parser of the process (expat), put back to a warm snapshot before each
 * stanza: no allocation per stanza, no parser per session, no growth. It alone judges XML; names
 * and declarations are checked once more (requirement ST-5b), since some builds of expat take
 * <a:b:c/>. Owns its region. Limits: struct xml_limits. */
#ifndef KITH_XML_H
#define KITH_XML_H

#include "wire/stanza.h"

struct xml;

struct xml_limits {
    uint32_t depth_max;        /* open elements within a stanza */
    uint32_t attributes_max;   /* per element */
    uint32_t declarations_max; /* namespace declarations in a whole stanza */
    uint32_t nodes_max;        /* elements and runs of text in a whole stanza, at most 65,000 */
    uint32_t name_bytes_max;   /* one element or attribute name, prefix or namespace */
    uint32_t stanza_bytes_max; /* longest stanza that will ever be given */
};

/* What the default namespace is when a stanza stands in the stream. */
enum xml_wrapper {
    XML_CONTENT_DEFAULT, /* xmlns='jabber:client', prefix stream bound */
    XML_STREAM_DEFAULT,  /* xmlns='http://etherx.jabber.org/streams' (6120 4.8.2) */
};

/* Each answer but XML_OK ends the stream with the condition of the same name; XML_TOO_BIG is a
 * stanza error modify/policy-violation where the stream can go on (limits above), XML_FULL is our
 * shortage (arena): resource-constraint. */
enum xml_outcome {
    XML_OK,
    XML_NOT_WELL_FORMED,
    XML_RESTRICTED,           /* comment, PI, DTD, entity beyond the five */
    XML_BAD_NAMESPACE_PREFIX, /* ST-5: a prefix for jabber:client */
    XML_UNSUPPORTED_ENCODING, /* invalid UTF-8, or a declaration of anything but UTF-8 */
    XML_TOO_BIG,
    XML_FULL,
};

/* Longest start tag that is sure to fit, with its attributes' values, the other limits used up. */
#define XML_TAG_BYTES 16384

/* Bytes of region that xml_open needs under these limits (plan duty "parser"). They do not grow
 * with stanza_bytes_max over XML_TAG_BYTES. They serve nodes_max / 8 different names that are not
 * usual ones; a stanza that needs more of the region than there is, is XML_TOO_BIG, every time. */
size_t xml_region_bytes(const struct xml_limits *limits);

/* region: page-aligned, stays the parser's for the life of the process. NULL: too small. */
struct xml *xml_open(void *region, size_t region_bytes, const struct xml_limits *limits);

/* Reads one complete stanza, '<' to '>' as the framer cut it. The view and its texts go to the
 * arena; source is borrowed. A leading prefix bound to jabber:client anywhere in it is
 * XML_BAD_NAMESPACE_PREFIX (ST-5). */
enum xml_outcome xml_read(struct xml *xml, enum xml_wrapper wrapper, struct span source,
                          struct arena *arena, struct stanza *out);

/* Reads a stream header: optional XML declaration and white space, then the start tag of the root,
 * as the framer cut it. The view holds one node (with source = all bytes given). Checks encoding
 * and names; which namespaces are right is the caller's business. */
enum xml_outcome xml_read_header(struct xml *xml, struct span source, struct arena *arena,
                                 struct stanza *out);

/* Most bytes of the region that any stanza needed. */
size_t xml_peak(const struct xml *xml);

#endif

/* Tests of src/wire/caps.c: the examples of XEP-0115, order, and what is ill-formed (5.4). */
#include "wire/caps.h"

#include <string.h>

#include "test.h"
#include "wire/base64.h"
#include "wire/xml.h"

#define REGION_BYTES ((size_t)4 << 20)
#define ARENA_BYTES ((size_t)1 << 20)

static _Alignas(4096) char region[REGION_BYTES];
static _Alignas(16) char arena_bytes[ARENA_BYTES];
static struct xml *xml;
static struct arena arena;

/* The string of a <query/> with this in it; "" if there is none. */
static const char *ver_of(const char *inside)
{
    static char ver[BASE64_BYTES(CAPS_HASH_BYTES) + 1];
    static char source[65536];
    struct stanza stanza;
    uint8_t hash[CAPS_HASH_BYTES];
    int len = snprintf(source, sizeof source,
                       "<query xmlns='http://jabber.org/protocol/disco#info'>%s</query>", inside);
    arena_reset(&arena, 0);
    ver[0] = '\0';
    CHECK(len > 0 && (size_t)len < sizeof source);
    CHECK(xml_read(xml, XML_CONTENT_DEFAULT, span_of(source, (size_t)len), &arena, &stanza) ==
          XML_OK);
    size_t used = arena.used;
    if (caps_hash(&stanza, stanza_root(&stanza), &arena, hash))
        ver[base64_encode(span_of((const char *)hash, sizeof hash), ver)] = '\0';
    CHECK(arena.used == used);
    return ver;
}

static bool same(const char *one, const char *other)
{
    char kept[64];
    snprintf(kept, sizeof kept, "%s", ver_of(one));
    return kept[0] != '\0' && strcmp(kept, ver_of(other)) == 0;
}

#define FEATURES                                                                                   \
    "<feature var='http://jabber.org/protocol/caps'/>"                                             \
    "<feature var='http://jabber.org/protocol/disco#info'/>"                                       \
    "<feature var='http://jabber.org/protocol/disco#items'/>"                                      \
    "<feature var='http://jabber.org/protocol/muc'/>"
#define FORM(inside) "<x xmlns='jabber:x:data' type='result'>" inside "</x>"
#define TYPE(inside) "<field var='FORM_TYPE' type='hidden'>" inside "</field>"

static void test_examples(void)
{
    /* 5.2 */
    CHECK(strcmp(ver_of("<identity category='client' type='pc' name='Exodus 0.9.1'/>" FEATURES),
                 "QgayPKawpkPSDYmwT/WM94uAlu0=") == 0);
    /* 5.3, out of order */
    CHECK(
        strcmp(ver_of(FORM("<field var='software_version'><value>0.11</value></field>"
                           "<field var='ip_version' type='text-multi'>"
                           "<value>ipv6</value><value>ipv4</value></field>"
                           "<field var='os'><value>Mac</value></field>"
                           "<field var='os_version'><value>10.5.1</value></field>"
                           "<field var='software'><value>Psi</value></field>" TYPE(
                               "<value>urn:xmpp:dataforms:softwareinfo</value>")) FEATURES
                      "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
                      "<identity xml:lang='el' category='client' name='\xce\xa8 0.11' type='pc'/>"),
               "q07IKJEyjvHSyhy//CH0CxmKi8w=") == 0);
}

static void test_order(void)
{
    CHECK(same("<feature var='b'/><feature var='a'/>", "<feature var='a'/><feature var='b'/>"));
    CHECK(!same("<feature var='b'/><feature var='a'/>", "<feature var='a'/>"));
    /* By category, then type: not as one text, in which '-' sorts before '/'. */
    CHECK(same("<identity category='a' type='z'/><identity category='a-b' type='c'/>",
               "<identity category='a-b' type='c'/><identity category='a' type='z'/>"));
    CHECK(same(FORM(TYPE("<value>a</value>")) FORM(TYPE("<value>b</value>")),
               FORM(TYPE("<value>b</value>")) FORM(TYPE("<value>a</value>"))));
    CHECK(same("<feature var='a'/>", "<feature var='a'/><other xmlns='urn:example'/>"));
}

static void test_ill_formed(void)
{
    CHECK(ver_of("<feature var='a'/><feature var='b'/><feature var='a'/>")[0] == '\0');
    CHECK(ver_of("<identity category='a' type='b'/><identity category='a' type='b'/>")[0] == '\0');
    CHECK(ver_of("<identity category='a' type='b'/>"
                 "<identity category='a' type='b' xml:lang='en'/>")[0] != '\0');
    CHECK(ver_of(FORM(TYPE("<value>a</value>")) FORM(TYPE("<value>a</value>")))[0] == '\0');
    CHECK(ver_of(FORM(TYPE("<value>a</value><value>b</value>")))[0] == '\0');
    CHECK(ver_of(FORM(TYPE("<value>a</value><value>a</value>")))[0] != '\0');
    /* A form whose type is not hidden, or that has none, is left out. */
    CHECK(same("<feature var='a'/>",
               "<feature var='a'/>" FORM("<field var='FORM_TYPE'><value>a</value></field>")));
    CHECK(same("<feature var='a'/>",
               "<feature var='a'/>" FORM("<field var='b'><value>a</value></field>")));
}

static void test_limits(void)
{
    static char features[65536];
    size_t len = 0;
    for (unsigned i = 0; i < CAPS_ITEMS_MAX; i++)
        len += (size_t)snprintf(features + len, sizeof features - len, "<feature var='%u'/>", i);
    CHECK(ver_of(features)[0] != '\0');
    snprintf(features + len, sizeof features - len, "<feature var='x'/>");
    CHECK(ver_of(features)[0] == '\0');
}

int main(void)
{
    struct xml_limits limits = {64, 64, 64, 4000, 512, 65536};
    arena_init(&arena, arena_bytes, ARENA_BYTES);
    xml = xml_open(region, REGION_BYTES, &limits);
    CHECK(xml != NULL);
    test_examples();
    test_order();
    test_ill_formed();
    test_limits();
    return test_end();
}

/* expat_config.h: for expat of the bundle, instead of its configure. The same features as Debian's
 * build; nothing of the machine is asked but its byte order. */
#ifndef KITH_EXPAT_CONFIG_H
#define KITH_EXPAT_CONFIG_H

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BYTEORDER 4321
#else
#define BYTEORDER 1234
#endif
#define HAVE_FCNTL_H 1
#define HAVE_GETRANDOM 1
#define HAVE_STDINT_H 1
#define HAVE_UNISTD_H 1
#define XML_CONTEXT_BYTES 1024
#define XML_DEV_URANDOM 1
#define XML_DTD 1
#define XML_GE 1
#define XML_NS 1

#endif

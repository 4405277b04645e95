/* domain.h: the domainpart of an address (RFC 7622 3.2, requirement ST-16): U-labels in lower case
 * and NFC, A-labels turned into them; IPv4 addresses; IPv6 addresses in brackets, as RFC 5952
 * writes them. Other kinds of label with -- in place 3 and 4 are refused (RFC 5890 2.3.1). */
#ifndef KITH_DOMAIN_H
#define KITH_DOMAIN_H

#include "base/span.h"

/* RFC 1035 2.3.4, of the form with A-labels. */
#define DOMAIN_BYTES_MAX 253
#define LABEL_BYTES_MAX 63

/* Bytes written to out, which holds PRECIS_BYTES_MAX; 0: not a domain. */
size_t domain_prepare(struct span text, char *out);

#endif

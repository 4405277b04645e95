/* mix_archive.h: asking a channel for what was said there (XEP-0369 7.2.2, XEP-0313), for those who
 * may read its messages. Requirements MX-2, MX-16. */
#ifndef KITH_MIX_ARCHIVE_H
#define KITH_MIX_ARCHIVE_H

#include "core/turn.h"

void mix_archive_query_request(struct turn *turn);
void mix_archive_form_request(struct turn *turn);
void mix_archive_metadata_request(struct turn *turn);

#endif

/* archive.h: asking the own archive for pages of messages (XEP-0313, XEP-0059). Requirements MAM-3
 * ... MAM-5. Limits: PAGE_MAX results, a share of plan.output_bytes for them. */
#ifndef KITH_FEATURES_ARCHIVE_H
#define KITH_FEATURES_ARCHIVE_H

#include "core/inline.h"
#include "core/turn.h"

void archive_query_request(struct turn *turn);
void archive_form_request(struct turn *turn);
void archive_metadata_request(struct turn *turn);
/* The same in <bound/> (core/inline.h, XEP-0313 5). */
void archive_bound(struct login *login);

#endif

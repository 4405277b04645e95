/* archive_page.h: a page of an archive, as it is told (XEP-0313 4, XEP-0059), of accounts and of
 * channels. It costs its own records and a few looks at the ends of what was asked for. One of a
 * talk walks through the entries of its owner, without bodies: at most plan.archive_messages; how
 * many a talk has is told only if nothing else is.
 * Limits: ARCHIVE_PAGE_MAX results, a share of plan.output_bytes for them. */
#ifndef KITH_ARCHIVE_PAGE_H
#define KITH_ARCHIVE_PAGE_H

#include "core/archive_query.h"

/* Results from that bare jid, and the answer to the turn's IQ behind them. false: an error was
 * answered. */
bool archive_page_answer(struct turn *turn, struct span from, struct archive_query *query);
/* The form with which to ask. */
void archive_form_answer(struct turn *turn);
/* Where the archive begins and ends. */
void archive_metadata_answer(struct turn *turn, struct archive_view *view);
/* The same as an element. STORE_NONE: the archive is empty, which is written too. */
enum store_outcome archive_metadata_build(struct server *server, struct archive_view *view,
                                          struct build *build);

#endif

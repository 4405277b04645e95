/* archive_query.h: what a query of an archive asks for (XEP-0313 4.1, 4.3), as numbers of
 * messages. */
#ifndef KITH_ARCHIVE_QUERY_H
#define KITH_ARCHIVE_QUERY_H

#include "core/archive.h"
#include "wire/rsm.h"

#define ARCHIVE_PAGE_MAX 50
#define ARCHIVE_IDS_MAX 50

struct archive_range {
    uint64_t low; /* from 1 */
    uint64_t high;
};

/* Messages of channels, in the archive of an account (4.1.1, XEP-0405 2.6). */
enum archive_groupchat { GROUPCHAT_UNSAID, GROUPCHAT_WANTED, GROUPCHAT_UNWANTED };

struct archive_query {
    struct span queryid;
    const struct archive_view *all; /* where ids are looked for: whatever was told with one */
    struct archive_view view;
    struct jid with; /* absent: all talks */
    enum archive_groupchat groupchat;
    struct archive_range range; /* what the form asks for, */
    struct archive_range page;  /* of it what the page may come from */
    uint32_t max;
    bool backwards; /* the page is at the end of its range */
    bool flipped;
    bool by_ids; /* only these, in order */
    unsigned id_count;
    uint64_t ids[ARCHIVE_IDS_MAX];
};

/* The view is of the owner's archive alone; its sources are for the caller to set, who knows by
 * then what was asked for. false: it was refused. */
bool archive_query_read(struct turn *turn, const struct archive_view *all,
                        struct archive_query *query);

/* The next one that fits behind `at`, or before it; maybe out of the range. */
enum store_outcome archive_query_next(struct turn *turn, struct archive_query *query, bool forwards,
                                      uint64_t at, uint64_t *number);

/* How many there are in all, and where the page begins (0: it is empty). */
enum store_outcome archive_query_count(struct turn *turn, struct archive_query *query,
                                       uint64_t first, struct rsm_answer *answer);

/* 4.1.5: the fields that may be asked with. */
void archive_form_build(struct build *build);

#endif

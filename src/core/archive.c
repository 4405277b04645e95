/* archive.c: see archive.h. Owns server->archived and what begins with archive_ there. */
#include "core/archive.h"

#include "base/log.h"
#include "store/archive_prefs.h"
#include "wire/names.h"

#define REAP_MESSAGES 16 /* dropped in one tick */
#define REAP_MS 60000    /* how often to look for what is too old */
#define REAP_NEXT_MS 1000
#define CLOCK_MS 3600000   /* for so long after the start the clock may be wrong */
#define DROPS_BESIDE 4     /* dropped beside one that is written, if the whole is too much */
#define INDEX_MESSAGES 512 /* at most so many wait for the index */
#define TRIM_OWNERS 8      /* looked at in one tick, for what is too much */
/* What was told and lost by a crash keeps its numbers, also where the clock begins anew: more than
 * are told in COMMIT_MS_MAX; and a number of such steps that another start does not take, too. */
#define NUMBERS_UNSAFE 10000
#define NUMBERS_STEPS 1024
#define LOG_MS 60000
#define DAY_US (UINT64_C(86400) * 1000000)

enum worth { WORTH_KEEPING, WORTH_NEVER };

/* MAM-1; what is not here decides nothing. */
static const struct {
    const char *namespace;
    const char *name;
    enum worth worth;
} worths[] = {
    {NS_HINTS, "no-store", WORTH_NEVER},        {NS_HINTS, "no-permanent-store", WORTH_NEVER},
    {NS_HINTS, "store", WORTH_KEEPING},         {NS_CLIENT, "body", WORTH_KEEPING},
    {NULL, "encrypted", WORTH_KEEPING}, /* XEP-0384, in both its namespaces */
    {NS_ENCRYPTED, "x", WORTH_KEEPING},         {NS_OPENPGP, "openpgp", WORTH_KEEPING},
    {NS_RECEIPTS, "received", WORTH_KEEPING},   {NS_MARKERS, "received", WORTH_KEEPING},
    {NS_MARKERS, "displayed", WORTH_KEEPING},   {NS_MARKERS, "acknowledged", WORTH_KEEPING},
    {NS_RETRACTION, "retract", WORTH_KEEPING},  {NS_RETRACTION_OLD, "retract", WORTH_KEEPING},
    {NS_FASTEN, "apply-to", WORTH_KEEPING},     {NS_CORRECTION, "replace", WORTH_KEEPING},
    {NS_REACTIONS, "reactions", WORTH_KEEPING},
};

static bool worth_keeping(const struct turn *turn)
{
    bool keeping = false;
    if (span_is(turn->type, "groupchat") || span_is(turn->type, "headline") ||
        span_is(turn->type, "error"))
        return false;
    for (size_t i = 0; i < sizeof worths / sizeof worths[0]; i++) {
        if (stanza_child(turn->stanza, stanza_root(turn->stanza), worths[i].namespace,
                         worths[i].name) == NULL)
            continue;
        if (worths[i].worth == WORTH_NEVER)
            return false;
        keeping = true;
    }
    return keeping;
}

uint64_t archive_number(struct server *server)
{
    uint16_t dice;
    if (server->archived == 0) {
        if (archive_last(server->store, &server->archived) != STORE_OK)
            server->archived = 0;
        plat_random(&dice, sizeof dice);
        server->archived += NUMBERS_UNSAFE * (UINT64_C(1) + dice % NUMBERS_STEPS);
    }
    server->archived = server->wall_us > server->archived ? server->wall_us : server->archived + 1;
    return server->archived;
}

static uint64_t share_bytes(void)
{
    return plan.map_bytes / 100 * plan.archive_percent;
}

/* How far the archive is above its share. A sixteenth more is taken for what is not yet dropped. */
static bool share_passed(struct server *server, bool far)
{
    uint64_t share = share_bytes();
    return archive_bytes(server->store) > share + (far ? share / 16 : 0);
}

static void nothing_kept(struct server *server)
{
    if (server->now_ms < server->archive_log_ms)
        return;
    server->archive_log_ms = server->now_ms + LOG_MS;
    log_line(LOG_NOTE, "there is no room for the archive: messages are delivered, but not kept");
}

bool archive_fits(struct server *server, size_t bytes)
{
    if (archive_has_room(server->store, bytes) && !share_passed(server, true))
        return true;
    nothing_kept(server);
    return false;
}

/* As far as there is room for one of so many bytes. */
static void choose_room(struct server *server, size_t bytes, struct archiving *archiving)
{
    if ((archiving->sender || archiving->receiver) && !archive_fits(server, bytes))
        archiving->sender = archiving->receiver = false;
}

void archive_choose(struct turn *turn, struct archiving *archiving)
{
    struct server *server = turn->server;
    const struct jid *own = &turn->session->jid;
    bool self = span_equal(jid_bare(&turn->to), jid_bare(own));
    *archiving = (struct archiving){.number = archive_number(server)};
    if (!config.archive || !worth_keeping(turn))
        return;
    archiving->receiver = archive_prefs_wants(server->store, jid_local(&turn->to), own);
    archiving->sender = !self && archive_prefs_wants(server->store, jid_local(own), &turn->to);
    choose_room(server, turn->stanza->source.len, archiving);
}

void archive_choose_own(struct server *server, const struct jid *from, const struct jid *to,
                        size_t bytes, struct archiving *archiving)
{
    *archiving = (struct archiving){.number = archive_number(server)};
    archiving->receiver = config.archive && archive_prefs_wants(server->store, jid_local(to), from);
    choose_room(server, bytes, archiving);
}

static void drop_beside(struct server *server)
{
    bool passed = share_passed(server, false);
    for (unsigned dropped = 0; dropped < DROPS_BESIDE && passed; dropped++) {
        if (archive_drop_oldest(server->store, ARCHIVE_NUMBER_MAX) != STORE_OK)
            break;
        passed = share_passed(server, false);
    }
    if (passed)
        server->archive_reap_ms = 0;
}

bool archive_keep(struct server *server, uint64_t number, const struct archive_owner *owners,
                  unsigned count, struct build *stanza)
{
    bool kept = !stanza->full && archive_put(server->store, number, server->wall_us, owners, count,
                                             stanza) == STORE_OK;
    if (!kept)
        nothing_kept(server);
    drop_beside(server);
    return kept;
}

void archive_write(struct turn *turn, const struct edits *edits, const struct archiving *archiving)
{
    struct server *server = turn->server;
    const struct jid *own = &turn->session->jid;
    struct archive_owner owners[ARCHIVE_OWNERS_MAX];
    struct build stanza;
    unsigned count = 0;
    size_t mark = server->arena.used;
    if (archiving->receiver)
        owners[count++] = (struct archive_owner){jid_local(&turn->to), own};
    if (archiving->sender)
        owners[count++] = (struct archive_owner){jid_local(own), &turn->to};
    if (count == 0)
        return;
    forward_whole(turn, edits, ARCHIVE_NOTE_BYTES(jid_local(own).len + jid_local(&turn->to).len),
                  &stanza);
    (void)archive_keep(server, archiving->number, owners, count, &stanza); /* it is delivered */
    arena_reset(&server->arena, mark);
}

void archive_write_own(struct server *server, const struct jid *from, const struct jid *to,
                       struct build *stanza, const struct archiving *archiving)
{
    const struct archive_owner owner = {jid_local(to), from};
    if (!archiving->receiver)
        return;
    (void)archive_keep(server, archiving->number, &owner, 1, stanza); /* it is delivered */
}

void archive_id(const struct server *server, struct span local, uint64_t number, char id[UID_CHARS])
{
    uid_write(server->archive_key, local, number, id);
}

bool archive_id_read(const struct server *server, struct span local, struct span id,
                     uint64_t *number)
{
    return uid_read(server->archive_key, local, id, number) && *number != 0 &&
           *number <= ARCHIVE_NUMBER_MAX;
}

/* An account may have a quarter more than it should before its oldest go. */
static uint32_t index_messages(void)
{
    uint32_t messages = plan.archive_messages / 4 + 1;
    return messages < INDEX_MESSAGES ? messages : INDEX_MESSAGES;
}

void archive_tend(struct server *server)
{
    uint32_t waiting;
    if (server->read_only || archive_unindexed(server->store, &waiting) != STORE_OK)
        return;
    if (waiting >= index_messages() && archive_index(server->store) != STORE_FAILED)
        server->archive_trimming = true;
    for (unsigned i = 0; i < TRIM_OWNERS && server->archive_trimming; i++) {
        enum store_outcome outcome =
            archive_trim(server->store, &server->archive_trim, plan.archive_messages);
        if (outcome == STORE_FULL)
            return;
        server->archive_trimming = outcome == STORE_OK;
    }
    if (!server->archive_trimming)
        server->archive_trim.len = 0;
}

void archive_reap(struct server *server)
{
    bool early = server->now_ms < server->started_ms + CLOCK_MS;
    uint64_t age_us = early ? server->wall_us : config.archive_days * DAY_US;
    enum store_outcome outcome = STORE_OK;
    if (server->read_only) /* not due either */
        return;
    if (server->now_ms >= server->archive_reap_ms) {
        bool passed = share_passed(server, false);
        uint64_t before = server->wall_us > age_us ? server->wall_us - age_us : 0;
        for (unsigned i = 0; i < REAP_MESSAGES && outcome == STORE_OK; i++)
            outcome = archive_drop_oldest(server->store, passed ? ARCHIVE_NUMBER_MAX : before);
        /* Slowly: the clock may be wrong for a moment. */
        server->archive_reap_ms = server->now_ms + (outcome != STORE_OK ? REAP_MS
                                                    : passed            ? 0
                                                                        : REAP_NEXT_MS);
    }
    session_due(server, server->archive_reap_ms);
}

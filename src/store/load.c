/* load.c: reading a dump; see dump.h. Owns one value at a time, in memory reserved for it. The file
 * is filled in small transactions under another name, so that all of it is seen or nothing. */
#include <errno.h>
#include <string.h>

#include "platform/platform.h"
#include "store/dump.h"
#include "store/dump_format.h"
#include "store/environment.h"

enum { KEY_BYTES_MAX = 511, COMMIT_BYTES = 128 << 10, LINE_END = '\n', FIELD_END = '\t' };

struct loader {
    FILE *in;
    uint64_t line;   /* the one that is being read, from 1 */
    uint32_t sum;    /* of what was read */
    uint32_t before; /* of the lines before this one */
    uint64_t records;
    uint64_t schema;
    uint64_t unsafe_bytes; /* since the last commit */
    const char *wrong;     /* what is wrong with the line; NULL: nothing */
    char *value;           /* DUMP_VALUE_BYTES_MAX */
};

static const char cut_off[] = "the dump ends here; what followed was cut off";

/* The next byte, or EOF. */
static int byte_read(struct loader *loader)
{
    int byte = getc(loader->in);
    if (byte != EOF)
        loader->sum = dump_sum(loader->sum, (char)byte);
    else
        loader->wrong = cut_off;
    return byte;
}

static int digit_read(struct loader *loader)
{
    static const char digits[] = "0123456789abcdef";
    int byte = byte_read(loader);
    const char *digit = byte <= 0 ? NULL : strchr(digits, byte);
    if (digit == NULL && byte != EOF)
        loader->wrong = "behind a \\ there are not two digits 0-9 a-f";
    return digit == NULL ? EOF : (int)(digit - digits);
}

/* One byte, of 0 to 255. EOF: wrong says why. */
static int escaped_read(struct loader *loader)
{
    int high = digit_read(loader);
    int low = high == EOF ? EOF : digit_read(loader);
    return low == EOF ? EOF : high << 4 | low;
}

/* A field, its escapes undone. Returns what ended it: LINE_END or FIELD_END; EOF: wrong says why.
 */
static int field_read(struct loader *loader, char *bytes, size_t size, size_t *len)
{
    *len = 0;
    for (;;) {
        int byte = byte_read(loader);
        if (byte == EOF || byte == LINE_END || byte == FIELD_END)
            return byte;
        if (byte < ' ' || byte == 0x7f) {
            loader->wrong = "there is a control character";
            return EOF;
        }
        if (byte == '\\')
            byte = escaped_read(loader);
        if (byte == EOF)
            return EOF;
        if (*len == size) {
            loader->wrong = "a field is too long";
            return EOF;
        }
        bytes[(*len)++] = (char)byte;
    }
}

static bool header_read(struct loader *loader)
{
    char line[DUMP_LINE_BYTES];
    size_t len;
    loader->line = 1;
    int end = field_read(loader, line, sizeof line, &len);
    struct span text = span_of(line, len);
    if (end != LINE_END || !span_starts(text, "kith dump "))
        loader->wrong = "this is no dump of kith";
    else if (!span_starts(text, DUMP_HEADER) ||
             !span_number(span_cut(text, strlen(DUMP_HEADER), len), UINT64_MAX, &loader->schema) ||
             loader->schema > SCHEMA_NOW)
        loader->wrong = "this dump is of a newer kith; install that version";
    return loader->wrong == NULL;
}

/* The last line, without its line end. */
static bool end_check(struct loader *loader, struct span text)
{
    char wanted[DUMP_LINE_BYTES];
    dump_end(wanted, loader->records, loader->before);
    if (!span_equal(text, span_cut(span_string(wanted), 0, strlen(wanted) - 1)))
        loader->wrong = "the records before are not those that were dumped: some are missing, "
                        "added or changed";
    else if (getc(loader->in) != EOF)
        loader->wrong = "something follows the last line";
    return loader->wrong == NULL && !ferror(loader->in);
}

static bool record_put(struct loader *loader, struct store *store, struct span name,
                       struct span key, struct span value)
{
    int table = 0;
    while (table < TABLE_COUNT && !span_is(name, table_names[table]))
        table++;
    if (table == TABLE_COUNT)
        loader->wrong = "this version of kith has no such table";
    else if (key.len == 0)
        loader->wrong = "the key is empty";
    if (loader->wrong != NULL)
        return false;
    enum store_outcome outcome = store_put(store, (enum store_table)table, key, value, false);
    loader->records++;
    loader->unsafe_bytes += key.len + value.len;
    if (outcome == STORE_OK && loader->unsafe_bytes >= COMMIT_BYTES) {
        outcome = store_commit(store);
        loader->unsafe_bytes = 0;
    }
    if (outcome == STORE_EXISTS)
        loader->wrong = "this record does not sort behind the one before";
    else if (outcome == STORE_FULL)
        loader->wrong = "there is no room for it: free some of the disk, or take a profile with "
                        "larger map_bytes";
    else if (outcome != STORE_OK)
        loader->wrong = "the disk failed";
    return outcome == STORE_OK;
}

/* Everything behind the header. */
static bool records_read(struct loader *loader, struct store *store)
{
    char name[DUMP_LINE_BYTES], key[KEY_BYTES_MAX];
    size_t name_len, key_len, len;
    for (;;) {
        loader->line++;
        loader->before = loader->sum;
        int end = field_read(loader, name, sizeof name, &name_len);
        struct span text = span_of(name, name_len);
        if (end == LINE_END && span_starts(text, "end "))
            return end_check(loader, text);
        if (end == FIELD_END)
            end = field_read(loader, key, sizeof key, &key_len);
        if (end == FIELD_END) {
            end = field_read(loader, loader->value, DUMP_VALUE_BYTES_MAX, &len);
            if (end == LINE_END &&
                record_put(loader, store, text, span_of(key, key_len), span_of(loader->value, len)))
                continue;
        }
        if (loader->wrong == NULL)
            loader->wrong = "it is not a table, a key and a value with a TAB between them";
        return false;
    }
}

/* The store's own records came with the others, or did not. */
static bool schema_right(const struct loader *loader, struct making *making)
{
    if (schema_read(making->store, making->arena, &making->why) &&
        making->store->schema == loader->schema)
        return true;
    making->why = environment_sentence(making->arena,
                                       "the records of the table %s are not those "
                                       "of a store of schema %llu",
                                       table_names[TABLE_META], (unsigned long long)loader->schema);
    return false;
}

static bool fill_load(struct making *making, const char *young)
{
    struct loader *loader = making->source;
    struct store *store = making->store;
    int error = environment_open(store, young);
    if (error != 0) {
        making->why = opening_sentence(making->arena, error, young);
        return false;
    }
    store->writable = store->unlimited = store->appending = true;
    bool loaded = header_read(loader) && records_read(loader, store);
    if (!loaded && ferror(loader->in))
        making->why = environment_sentence(making->arena, "line %llu cannot be read: %s",
                                           (unsigned long long)loader->line, strerror(errno));
    else if (!loaded)
        making->why = environment_sentence(making->arena, "line %llu: %s",
                                           (unsigned long long)loader->line, loader->wrong);
    else if (store_commit(store) != STORE_OK)
        making->why = opening_sentence(making->arena, store->error, young);
    else
        (void)schema_right(loader, making);
    environment_close(store);
    return making->why == NULL;
}

/* Whether nothing would be lost with the store that is there. */
static bool store_empty(struct store *store, struct arena *arena, const char **why)
{
    uint64_t count = 0, all = 0;
    bool there;
    if (!opening_look(store, &there, arena, why))
        return false;
    for (int table = 0; there && table < TABLE_COUNT; table++) {
        if (table == TABLE_META)
            continue;
        enum store_outcome outcome = store_count(store, (enum store_table)table, &count);
        all += outcome == STORE_OK ? count : 1;
    }
    environment_close(store);
    if (all > 0)
        *why = environment_sentence(arena,
                                    "%s holds something already; a dump can only be loaded where "
                                    "there is nothing yet: move that file away first",
                                    store->file);
    return all == 0;
}

bool dump_load(const char *directory, uint64_t map_bytes, FILE *in, uint64_t *records,
               struct arena *arena, const char **why)
{
    struct loader loader = {.in = in, .value = plat_reserve(DUMP_VALUE_BYTES_MAX)};
    struct making making = {.fill = fill_load, .source = &loader, .arena = arena};
    bool made = false;

    *why = "no memory for a record";
    if (loader.value == NULL)
        return false;
    making.store = opening_claim(directory, map_bytes, arena, why);
    if (making.store == NULL)
        return false;
    if (store_empty(making.store, arena, why)) {
        made = making_run(&making);
        if (!made)
            *why = making.why;
    }
    store_close(making.store);
    plat_give_back(loader.value, DUMP_VALUE_BYTES_MAX);
    *records = loader.records;
    return made;
}

/* dump.c: writing a dump; see dump.h. */
#include "store/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/dump_format.h"
#include "store/environment.h"
#include "wire/precis.h"

struct writer {
    FILE *out;
    uint32_t sum; /* of what was written */
    uint64_t records;
};

static void text_write(struct writer *writer, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        writer->sum = dump_sum(writer->sum, text.bytes[i]);
    /* What goes wrong is asked of the stream later. */
    (void)fwrite(text.bytes, 1, text.len, writer->out);
}

/* How many bytes at the beginning of text can be read by a person as they are; 0: none. */
static size_t readable_bytes(struct span text)
{
    unsigned char byte = (unsigned char)text.bytes[0];
    size_t len = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0x80 ? 2 : 1;
    if (len == 1)
        return byte >= ' ' && byte != '\\' && byte != 0x7f;
    /* U+0080 to U+009F are for terminals. */
    if (len > text.len || (byte == 0xc2 && (unsigned char)text.bytes[1] < 0xa0) ||
        !precis_utf8_valid(span_cut(text, 0, len)))
        return 0;
    return len;
}

static void field_write(struct writer *writer, struct span field)
{
    static const char digits[] = "0123456789abcdef";
    while (field.len > 0) {
        size_t len = readable_bytes(field);
        unsigned char byte = (unsigned char)field.bytes[0];
        const char escaped[] = {'\\', digits[byte >> 4], digits[byte & 15]};
        text_write(writer, len > 0 ? span_cut(field, 0, len) : span_of(escaped, sizeof escaped));
        field = span_cut(field, len > 0 ? len : 1, field.len);
    }
}

static enum store_outcome table_write(struct writer *writer, struct store *store,
                                      enum store_table table)
{
    struct span key = SPAN_NONE, value;
    for (;;) {
        enum store_outcome outcome = store_next(store, table, key, &key, &value);
        if (outcome != STORE_OK)
            return outcome == STORE_NONE ? STORE_OK : outcome;
        if (value.len > DUMP_VALUE_BYTES_MAX)
            return STORE_FULL;
        text_write(writer, span_string(table_names[table]));
        text_write(writer, SPAN("\t"));
        field_write(writer, key);
        text_write(writer, SPAN("\t"));
        field_write(writer, value);
        text_write(writer, SPAN("\n"));
        writer->records++;
        if (ferror(writer->out))
            return STORE_OK;
    }
}

/* A newer kith may have added tables; what would be left out must not go unnoticed. */
static bool tables_known(struct store *store)
{
    MDB_stat stat;
    size_t known = 0;
    for (int i = 0; i < TABLE_COUNT; i++)
        known += !store->missing[i];
    return mdb_env_stat(store->env, &stat) == 0 && stat.ms_entries <= known;
}

bool dump_write(struct store *store, FILE *out, uint64_t *records, struct arena *arena,
                const char **why)
{
    struct writer writer = {.out = out};
    char line[DUMP_LINE_BYTES];
    *records = 0;
    *why = NULL;
    if (!tables_known(store)) {
        *why = environment_sentence(arena,
                                    "%s has tables that only a newer kith knows; dump it "
                                    "with that one",
                                    store->file);
        return false;
    }
    errno = 0;
    dump_header(line, store->schema);
    text_write(&writer, span_string(line));
    for (int table = 0; table < TABLE_COUNT && *why == NULL; table++) {
        if (table_write(&writer, store, (enum store_table)table) != STORE_OK)
            *why = environment_sentence(arena,
                                        "%s: the table %s cannot be read to its end: "
                                        "restore a backup",
                                        store->file, table_names[table]);
    }
    store_tick_end(store);
    if (*why != NULL)
        return false;
    dump_end(line, writer.records, writer.sum);
    text_write(&writer, span_string(line));
    if (fflush(out) != 0 || ferror(out)) {
        *why = environment_sentence(arena, "the dump cannot be written: %s", strerror(errno));
        return false;
    }
    *records = writer.records;
    return true;
}

struct dumping {
    struct store *store;
    uint64_t *records;
};

static bool fill_dump(struct making *making, const char *young)
{
    struct dumping *dumping = making->source;
    int descriptor = open(young, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (out == NULL) {
        making->why = opening_sentence(making->arena, errno, young);
        if (descriptor >= 0)
            close(descriptor);
        return false;
    }
    bool written = dump_write(dumping->store, out, dumping->records, making->arena, &making->why);
    bool safe = written && fsync(descriptor) == 0;
    int error = errno;
    if (fclose(out) != 0 && safe) {
        error = errno;
        safe = false;
    }
    if (written && !safe)
        making->why = opening_sentence(making->arena, error, young);
    return safe;
}

bool dump_file(struct store *store, const char *file, uint64_t *records, struct arena *arena,
               const char **why)
{
    struct dumping dumping = {.store = store, .records = records};
    struct making making = {.fill = fill_dump, .source = &dumping, .arena = arena};
    return making_elsewhere(&making, file, why);
}

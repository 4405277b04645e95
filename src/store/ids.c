/* ids.c: see ids.h. Keys: kind, value, with version 1 and the localpart in the record; and 'a',
 * localpart, NUL, kind, value, with nothing but version 1. */
#include "store/ids.h"

#include "base/log.h"
#include "store/record.h"
#include "wire/jid.h"
#include "wire/precis.h"

enum {
    RECORD_VERSION = 1,
    OF_ACCOUNT = 'a',
    LOCAL_BYTES_MAX = 511 - 3 - ID_VALUE_BYTES_MAX,
    PHONE_DIGITS_MIN = 7,
    PHONE_DIGITS_MAX = 15, /* E.164 6.2 */
};

static void key_add(struct record_key *key, struct span part)
{
    memcpy(key->bytes + key->len, part.bytes, part.len);
    key->len += part.len;
}

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= LOCAL_BYTES_MAX;
}

/* false: no such id has been put. */
static bool key_of(struct record_key *key, enum id_kind kind, struct span value)
{
    key->bytes[0] = (char)kind;
    key->len = 1;
    if (value.len == 0 || value.len > ID_VALUE_BYTES_MAX)
        return false;
    key_add(key, value);
    return true;
}

/* What all keys of the account begin with; it fits. */
static void key_begin(struct record_key *key, struct span local)
{
    key->bytes[0] = OF_ACCOUNT;
    key->len = 1;
    key_add(key, local);
    key->bytes[key->len++] = 0;
}

static void key_of_account(struct record_key *key, struct span local, const struct record_key *id)
{
    key_begin(key, local);
    key_add(key, record_key_span(id));
}

static enum store_outcome damaged(const char *what)
{
    log_line(LOG_ERROR, "store: a verified %s is damaged", what);
    return STORE_FAILED;
}

static enum store_outcome owner_get(struct store *store, const struct record_key *key,
                                    struct span *local)
{
    struct span record;
    enum store_outcome outcome = store_get(store, TABLE_IDS, record_key_span(key), &record);
    *local = SPAN_NONE;
    if (outcome != STORE_OK)
        return outcome;
    *local = span_cut(record, 1, record.len);
    if (record.len > 0 && record.bytes[0] == RECORD_VERSION && local_fits(*local))
        return STORE_OK;
    *local = SPAN_NONE;
    return damaged(key->bytes[0] == ID_EMAIL ? "e-mail address" : "phone number");
}

/* The account's next: *key is that of its own record, *id of the other one. */
static enum store_outcome next_of(struct store *store, const struct record_key *account,
                                  struct record_key *key, struct record_key *id)
{
    struct span found, record;
    enum store_outcome outcome =
        store_next(store, TABLE_IDS, record_key_span(key), &found, &record);
    if (outcome != STORE_OK)
        return outcome;
    if (!span_equal(span_cut(found, 0, account->len), record_key_span(account)))
        return STORE_NONE;
    key->len = id->len = 0;
    key_add(key, found);
    key_add(id, span_cut(found, account->len, found.len));
    bool sound = id->len > 1 && id->len <= 1 + ID_VALUE_BYTES_MAX &&
                 (id->bytes[0] == ID_EMAIL || id->bytes[0] == ID_PHONE) && span_is(record, "\1");
    return sound ? STORE_OK : damaged("address of an account");
}

enum store_outcome id_get(struct store *store, enum id_kind kind, struct span value,
                          struct span *local)
{
    struct record_key key;
    *local = SPAN_NONE;
    return key_of(&key, kind, value) ? owner_get(store, &key, local) : STORE_NONE;
}

enum store_outcome id_put(struct store *store, enum id_kind kind, struct span value,
                          struct span local)
{
    struct record_key id, account, key, at;
    struct span owner;
    char record[1 + LOCAL_BYTES_MAX] = {RECORD_VERSION};
    unsigned count = 0;
    if (!local_fits(local) || !key_of(&id, kind, value))
        return STORE_FULL;
    enum store_outcome outcome = owner_get(store, &id, &owner);
    if (outcome == STORE_OK)
        return span_equal(owner, local) ? STORE_OK : STORE_EXISTS;
    if (outcome != STORE_NONE)
        return outcome;
    key_begin(&account, local);
    key = account;
    while ((outcome = next_of(store, &account, &key, &at)) == STORE_OK)
        count++;
    if (outcome != STORE_NONE || count >= IDS_PER_ACCOUNT_MAX)
        return outcome == STORE_NONE ? STORE_FULL : outcome;
    /* local may be borrowed from the store: it is not read again after the first write. */
    struct span content = span_of(record, 1 + local.len);
    memcpy(record + 1, local.bytes, local.len);
    key_of_account(&key, local, &id);
    outcome = store_put(store, TABLE_IDS, record_key_span(&key), SPAN("\1"), false);
    if (outcome != STORE_OK)
        return outcome;
    outcome = store_put(store, TABLE_IDS, record_key_span(&id), content, true);
    if (outcome == STORE_FULL && store_delete(store, TABLE_IDS, record_key_span(&key)) != STORE_OK)
        return STORE_FAILED;
    return outcome;
}

enum store_outcome id_delete(struct store *store, enum id_kind kind, struct span value)
{
    struct record_key id, key;
    struct span local;
    if (!key_of(&id, kind, value))
        return STORE_NONE;
    enum store_outcome outcome = owner_get(store, &id, &local);
    if (outcome != STORE_OK)
        return outcome;
    key_of_account(&key, local, &id);
    outcome = store_delete(store, TABLE_IDS, record_key_span(&key));
    return outcome == STORE_OK || outcome == STORE_NONE
               ? store_delete(store, TABLE_IDS, record_key_span(&id))
               : outcome;
}

enum store_outcome id_of(struct store *store, struct span local, unsigned n, enum id_kind *kind,
                         struct span *value)
{
    struct record_key account, key, id;
    struct span found, record;
    *value = SPAN_NONE;
    if (!local_fits(local))
        return STORE_NONE;
    key_begin(&account, local);
    key = account;
    for (unsigned i = 0; i < n; i++) {
        enum store_outcome outcome = next_of(store, &account, &key, &id);
        if (outcome != STORE_OK)
            return outcome;
    }
    struct record_key before = key;
    enum store_outcome outcome = next_of(store, &account, &key, &id);
    if (outcome == STORE_OK)
        outcome = store_next(store, TABLE_IDS, record_key_span(&before), &found, &record);
    if (outcome != STORE_OK)
        return outcome;
    *kind = (enum id_kind)id.bytes[0];
    *value = span_cut(found, account.len + 1, found.len);
    return STORE_OK;
}

enum store_outcome id_forget(struct store *store, struct span local)
{
    struct record_key account, key, id;
    struct span owner;
    if (!local_fits(local))
        return STORE_OK;
    key_begin(&account, local);
    for (;;) {
        key = account;
        enum store_outcome outcome = next_of(store, &account, &key, &id);
        /* A damaged one goes too; key holds it. */
        if (outcome == STORE_NONE || (outcome == STORE_FAILED && key.len == account.len))
            return outcome == STORE_NONE ? STORE_OK : outcome;
        enum store_outcome owned = outcome == STORE_OK ? owner_get(store, &id, &owner) : STORE_NONE;
        if (owned == STORE_FAILED || (owned == STORE_OK && span_equal(owner, local)))
            outcome = store_delete(store, TABLE_IDS, record_key_span(&id));
        if (outcome != STORE_FULL)
            outcome = store_delete(store, TABLE_IDS, record_key_span(&key));
        if (outcome != STORE_OK)
            return outcome;
    }
}

/* --- the form in which they are compared --- */

/* RFC 5322 3.2.3 atext; what else a quoted string may hold is nobody's address, and could end a
 * header of the mail. */
static bool is_atext(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* RFC 5322 3.2.3 dot-atom-text. A '-' in front would be an option for the program that sends. */
static bool is_dot_atom(struct span text)
{
    if (text.len == 0 || text.bytes[0] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dot = text.bytes[i] == '.';
        if (dot ? i == 0 || i + 1 == text.len || text.bytes[i - 1] == '.'
                : !is_atext(text.bytes[i]))
            return false;
    }
    return true;
}

/* Letters of ASCII are folded here too, since not all that may stand between them is PRECIS'. */
static size_t mailbox_write(struct span text, char *out)
{
    struct precis_text points;
    bool ascii = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.bytes[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        ascii = ascii && (c & 0x80) == 0;
    }
    if (ascii)
        return text.len;
    return precis_read(text, &points) && precis_username(&points) ? precis_write(&points, out) : 0;
}

/* A name with a dot in it: no address literal, no number, which ends in a digit. */
static bool is_mail_domain(struct span domain)
{
    size_t dot = span_find(domain, '.');
    char last = domain.len > 0 ? domain.bytes[domain.len - 1] : '\0';
    return dot < domain.len && domain.bytes[0] != '[' && (last < '0' || last > '9');
}

static bool email_prepare(struct span text, struct arena *arena, struct span *out)
{
    char bytes[PRECIS_BYTES_MAX + 1 + ID_VALUE_BYTES_MAX];
    struct span domain;
    size_t at = span_find(text, '@'), mark = arena->used;
    if (text.len > ID_VALUE_BYTES_MAX || at == text.len)
        return false;
    size_t len = mailbox_write(span_cut(text, 0, at), bytes);
    if (!is_dot_atom(span_of(bytes, len)) ||
        !jid_prepare_domain(span_cut(text, at + 1, text.len), arena, &domain))
        return false;
    bool good = is_mail_domain(domain) && len + 1 + domain.len <= ID_VALUE_BYTES_MAX;
    if (good) {
        bytes[len++] = '@';
        memcpy(bytes + len, domain.bytes, domain.len);
        len += domain.len;
    }
    arena_reset(arena, mark);
    *out = good ? arena_copy(arena, span_of(bytes, len)) : SPAN_NONE;
    return out->bytes != NULL;
}

static bool phone_prepare(struct span text, struct arena *arena, struct span *out)
{
    char bytes[1 + PHONE_DIGITS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.bytes[i];
        if (c == ' ' || c == '-' || c == '(' || c == ')' || c == '.')
            continue;
        /* E.164: no country's number begins with a zero. */
        bool right = len == 0 ? c == '+' : c >= (len == 1 ? '1' : '0') && c <= '9';
        if (!right || len == sizeof bytes)
            return false;
        bytes[len++] = c;
    }
    if (len < 1 + PHONE_DIGITS_MIN)
        return false;
    *out = arena_copy(arena, span_of(bytes, len));
    return out->bytes != NULL;
}

bool id_prepare(enum id_kind kind, struct span text, struct arena *arena, struct span *out)
{
    *out = SPAN_NONE;
    return kind == ID_EMAIL ? email_prepare(text, arena, out) : phone_prepare(text, arena, out);
}

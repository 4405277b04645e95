/* house.c: see house.h. The store lies in a directory of its own on /dev/shm, or else in /tmp. */
#include "house.h"

#include "base/heap.h"
#include "base/log.h"
#include "config.h"
#include "core/errand.h"
#include "memory.h"
#include "plan.h"
#include "store/accounts.h"
#include "tick.h"
#include "wire/digest.h"
#include "world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(bytes, len) ((void)(bytes), (void)(len))
#endif

#define HEAP_BYTES ((size_t)64 << 20)
#define TICKS_MAX 1000000 /* in which the server must have come to rest */
#define PAIRS 48
#define ITERATIONS 4096
#define SALT "sixteen byte salt"
#define PASSWORDS 16

void (*house_tick_hook)(bool begins);

struct pair {
    char key[64];
    char value[256];
};

struct pairs {
    struct pair list[PAIRS];
    unsigned count;
};

/* What every dialog takes for granted; its own lines replace these. */
static const struct pair usual_config[] = {
    {"domain", HOUSE_DOMAIN},        {"listen", "127.0.0.1:5222"}, {"listen_tls", "none"},
    {"allow_plaintext", "loopback"}, {"rate_limits", "no"},        {"sasl_iterations", "4096"},
};
static const struct pair usual_profile[] = {
    {"memory", "64M"},
    {"handshakes", "8"},
    {"exchanges", "8"},
    {"applications", "8"},
    {"stanza_bytes", "65536"},
    {"leases", "4"},
    {"stanza_bytes_before", "16384"},
    {"input_bytes", "4096"},
    {"output_bytes", "262144"},
    {"chunks_per_session", "1"},
    {"chunks_shared", "2000"},
    {"nodes", "4096"},
    {"accounts", "1000"},
    {"resources", "8"},
    {"roster_items", "500"},
    {"offline_messages", "100"},
    {"offline_bytes", "262144"},
    {"archive_messages", "1000"},
    {"archive_percent", "50"},
    {"participants", "200"},
    {"blocks", "20"},
    {"per_address", "100"},
    {"vcard_bytes", "16K"},
    {"private_bytes", "8K"},
    {"pep_nodes", "6"},
    {"pep_items", "10"},
    {"pep_item_bytes", "8K"},
    {"pep_bytes", "24K"},
    {"caps", "8"},
    {"asks", "8"},
    {"receive_buffer", "8192"},
    {"send_buffer", "8192"},
    {"map_bytes", "16M"},
};
/* Not in a profile, since they follow from the memory; set directly. */
static const struct pair usual_counts[] = {{"sessions", "40"}};

static struct {
    char directory[64];
    struct server server;
    bool open;
    void *region;
    size_t region_bytes;
    struct pairs config, profile, counts;
} house;

static void directory_clear(const char *path)
{
    char file[512];
    struct dirent *entry;
    DIR *directory = opendir(path);
    if (!directory)
        return;
    while ((entry = readdir(directory)) != NULL) {
        snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(file) != 0)
            perror(file);
    }
    closedir(directory);
}

void house_boot(void)
{
    snprintf(house.directory, sizeof(house.directory), "%s/kith-sim-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    void *heap = plat_reserve(HEAP_BYTES);
    void *slabs = plat_reserve(heap_slab_bytes());
    if (!mkdtemp(house.directory) || !heap || !slabs) {
        perror(house.directory);
        exit(2);
    }
    heap_extend(heap, HEAP_BYTES, slabs, 1);
    log_limit = LOG_ERROR;
}

void house_leave(void)
{
    directory_clear(house.directory);
    if (rmdir(house.directory) != 0)
        perror(house.directory);
}

const char *house_directory(void)
{
    return house.directory;
}

static bool pair_replace(struct pairs *pairs, const char *key, const char *value, bool add)
{
    unsigned i = 0;
    while (i < pairs->count && strcmp(pairs->list[i].key, key) != 0)
        i++;
    if (i == PAIRS || (i == pairs->count && !add))
        return false;
    if (i == pairs->count)
        pairs->count++;
    snprintf(pairs->list[i].key, sizeof(pairs->list[i].key), "%s", key);
    snprintf(pairs->list[i].value, sizeof(pairs->list[i].value), "%s", value);
    return true;
}

static void pairs_usual(struct pairs *pairs, const struct pair *usual, size_t count)
{
    pairs->count = 0;
    for (size_t i = 0; i < count; i++)
        pair_replace(pairs, usual[i].key, usual[i].value, true);
}

#define USUAL(pairs, list) pairs_usual(pairs, list, sizeof(list) / sizeof((list)[0]))

void house_begin(void)
{
    directory_clear(house.directory);
    USUAL(&house.config, usual_config);
    USUAL(&house.profile, usual_profile);
    USUAL(&house.counts, usual_counts);
    pair_replace(&house.config, "data", house.directory, true);
}

bool house_set(const char *key, const char *value)
{
    return pair_replace(&house.counts, key, value, false) ||
           pair_replace(&house.profile, key, value, false) ||
           pair_replace(&house.config, key, value, true);
}

bool house_configure(const char *key, const char *value)
{
    return pair_replace(&house.config, key, value, true);
}

static const char *pairs_text(const struct pairs *pairs)
{
    struct text text = {0};
    for (unsigned i = 0; i < pairs->count; i++)
        text_format(&text, "%s = %s\n", pairs->list[i].key, pairs->list[i].value);
    return text.bytes;
}

static bool counts_set(void)
{
    for (unsigned i = 0; i < house.counts.count; i++) {
        const struct pair *pair = &house.counts.list[i];
        if (strcmp(pair->key, "sessions") == 0)
            plan.sessions = (uint32_t)strtoul(pair->value, NULL, 10);
    }
    return plan.sessions > 0;
}

/* kith.conf and a profile as an owner would write them, read by the server's own code. */
static bool house_settings(const char **why)
{
    static char words[PLAN_WHY_BYTES + CONFIG_WHY_BYTES];
    char path[128];
    *why = words;
    snprintf(path, sizeof(path), "%s/profile", house.directory);
    FILE *file = fopen(path, "w");
    if (!file || fputs(pairs_text(&house.profile), file) < 0 || fclose(file) != 0) {
        snprintf(words, sizeof(words), "%s cannot be written", path);
        return false;
    }
    return config_parse("dialog", span_string(pairs_text(&house.config)), words) &&
           plan_make(path, 0, words) && counts_set();
}

/* What the server's pools poisoned must not be found so by whoever is mapped there next. */
static void region_drop(void)
{
    ASAN_UNPOISON_MEMORY_REGION(house.region, house.region_bytes);
    munmap(house.region, house.region_bytes);
}

bool house_open(const char **why)
{
    if (!house_settings(why))
        return false;
    house.region_bytes = server_bytes();
    house.region = plat_reserve(house.region_bytes);
    *why = "no memory";
    if (!house.region)
        return false;
    house.open = errand_start() && server_start(&house.server, house.region, NULL, why);
    if (!house.open)
        region_drop();
    return house.open;
}

void house_close(void)
{
    if (!house.open)
        return;
    server_end(&house.server);
    errand_end();
    region_drop();
    house.open = false;
}

bool house_is_open(void)
{
    return house.open;
}

struct server *house_server(void)
{
    return &house.server;
}

/* Keys of a password, derived once a program. */
static const struct account *account_of(const char *password)
{
    static struct {
        char password[64];
        struct account account;
    } known[PASSWORDS];
    static unsigned count;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(known[i].password, password) == 0)
            return &known[i].account;
    }
    if (count == PASSWORDS || strlen(password) >= sizeof(known[0].password))
        return NULL;
    struct account *account = &known[count].account;
    strcpy(known[count++].password, password);
    account->iterations = ITERATIONS;
    memcpy(account->salt, SALT, sizeof(account->salt));
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA256; digest++) {
        struct derive derive;
        derive_begin(&derive, digest, span_string(password),
                     span_of((char *)account->salt, sizeof(account->salt)), ITERATIONS);
        while (!derive_slice(&derive, ITERATIONS))
            ;
        scram_keys_of(digest, derive.out,
                      digest == DIGEST_SHA1 ? &account->sha1 : &account->sha256);
    }
    return account;
}

bool house_account(const char *name, const char *password, unsigned flags)
{
    const struct account *known = account_of(password);
    struct store *store = house.server.store;
    if (!known)
        return false;
    struct account account = *known;
    account.flags = flags;
    bool put = account_put(store, span_string(name), &account, true) == STORE_OK;
    return store_commit(store) == STORE_OK && put;
}

bool house_tick(void)
{
    uint64_t allowed = world_allowed();
    int timeout = allowed == 0 ? 1 : allowed > 60000 ? 60000 : (int)allowed;
    if (house_tick_hook)
        house_tick_hook(true);
    bool going_on = server_tick(&house.server, timeout);
    if (house_tick_hook)
        house_tick_hook(false);
    if (!going_on)
        house_close();
    return going_on;
}

const char *house_settle(uint64_t ms, void (*listen)(void))
{
    world_allow(ms);
    for (unsigned i = 0; i < TICKS_MAX; i++) {
        bool resting = world_rests();
        if (!house.open || !house_tick()) {
            listen();
            return NULL;
        }
        listen();
        /* Twice at rest: what the first tick did after its wait has been sent as well. */
        if (resting && world_rests() && world_allowed() == 0)
            return NULL;
    }
    return "the server does not come to rest";
}

const char *house_leftovers(void)
{
    static char words[128];
    struct server *server = &house.server;
    const struct pool *const pools[] = {
        &server->sessions,        &server->inputs,    &server->leases,
        &server->tls_rooms,       &server->exchanges, &server->chunks.chunks,
        &server->chunks.segments, &server->asks,      &server->applications,
    };
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        if (pools[i]->used) {
            snprintf(words, sizeof(words), "%u objects of the pool \"%s\" are still in use",
                     pools[i]->used, pools[i]->name);
            return words;
        }
    }
    if (server->streams || server->readers || server->writers || server->deriving ||
        server->handshakes)
        return "a list of sessions is not empty though there are none";
    return NULL;
}

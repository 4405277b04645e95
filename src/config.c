/* config.c: kith.conf is read; the keys stand in config_keys.c.
 * Owns the global config, constant after the boot. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/must.h"
#include "base/settings.h"
#include "config_keys.h"

struct config config;

static bool key_set(const struct key *key, struct span value)
{
    return key->set((char *)&config + key->field, value);
}

static size_t key_find(struct span name)
{
    size_t i = 0;
    while (i < config_key_count && !span_is(name, config_keys[i].key.name))
        i++;
    return i;
}

/* Two keys of which each needs the other. lines: where each key stood, 0 if nowhere. */
static bool both_or_none(const char *name, const unsigned *lines, const char *one,
                         const char *other, char *why)
{
    unsigned line = lines[key_find(span_string(one))];
    unsigned other_line = lines[key_find(span_string(other))];
    if ((line != 0) == (other_line != 0))
        return true;
    snprintf(why, CONFIG_WHY_BYTES, "%s:%u: `%s` alone; expected `%s` as well", name,
             line != 0 ? line : other_line, line != 0 ? one : other, line != 0 ? other : one);
    return false;
}

/* A value that has no meaning without another key. */
static bool needs(const char *name, const unsigned *lines, const char *key, const char *does,
                  const char *needed, char *why)
{
    if (lines[key_find(span_string(needed))] != 0)
        return true;
    snprintf(why, CONFIG_WHY_BYTES, "%s:%u: `%s` %s; expected `%s` as well", name,
             lines[key_find(span_string(key))], key, does, needed);
    return false;
}

/* What can only be judged when all lines are read. */
static bool config_finish(const char *name, const unsigned *lines, char *why)
{
    size_t control = config.control[0] ? strlen(config.control) : strlen(config.data) + 8;
    bool phones = config.verify == VERIFY_PHONE || config.verify == VERIFY_EITHER;
    if (control > 100) {
        snprintf(why, CONFIG_WHY_BYTES,
                 "%s: the path of the control socket is longer than 100 bytes; expected a shorter "
                 "`control`",
                 name);
        return false;
    }
    if (config.mix_domain[0] == '\0' &&
        (size_t)snprintf(config.mix_domain, sizeof config.mix_domain, "mix.%s", config.domain) >=
            sizeof config.mix_domain) {
        snprintf(why, CONFIG_WHY_BYTES,
                 "%s: `domain` is too long to put `mix.` before it; expected "
                 "`mix_domain` as well",
                 name);
        return false;
    }
    if (strcmp(config.mix_domain, config.domain) == 0) {
        snprintf(why, CONFIG_WHY_BYTES, "%s: `mix_domain` is `domain`; expected another one", name);
        return false;
    }
    if (config.control[0] == '\0')
        snprintf(config.control, sizeof config.control, "%.92s/control", config.data);
    return both_or_none(name, lines, "certificate", "key", why) &&
           both_or_none(name, lines, "captcha_question", "captcha_answer", why) &&
           (!phones ||
            needs(name, lines, "verify", "sends codes to telephones", "verify_command", why)) &&
           (config.registration != REGISTRATION_REDIRECT ||
            needs(name, lines, "registration", "sends people to a page", "registration_url", why));
}

bool config_parse(const char *name, struct span text, char why[CONFIG_WHY_BYTES])
{
    struct settings settings = {.left = text};
    unsigned lines[CONFIG_KEYS_MAX] = {0};
    enum settings_outcome outcome;

    must(config_key_count <= CONFIG_KEYS_MAX);
    config = (struct config){0};
    while ((outcome = settings_next(&settings)) == SETTINGS_PAIR) {
        size_t i = key_find(settings.key);
        int shown = settings.key.len > 60 ? 60 : (int)settings.key.len;
        if (i == config_key_count) {
            snprintf(why, CONFIG_WHY_BYTES,
                     "%s:%u: unknown key `%.*s`; expected one of those that `kith serve --help` "
                     "lists",
                     name, settings.line, shown, settings.key.bytes);
            return false;
        }
        if (lines[i] != 0 && !config_keys[i].several) {
            snprintf(why, CONFIG_WHY_BYTES, "%s:%u: `%s` again; expected it once (line %u)", name,
                     settings.line, config_keys[i].key.name, lines[i]);
            return false;
        }
        lines[i] = settings.line;
        if (!key_set(&config_keys[i], settings.value)) {
            int value = settings.value.len > 100 ? 100 : (int)settings.value.len;
            snprintf(why, CONFIG_WHY_BYTES, "%s:%u: `%s` cannot be `%.*s`; expected %s", name,
                     settings.line, config_keys[i].key.name, value, settings.value.bytes,
                     config_keys[i].key.expected);
            return false;
        }
    }
    if (outcome == SETTINGS_BAD) {
        snprintf(why, CONFIG_WHY_BYTES, "%s:%u: expected `key = value`", name, settings.line);
        return false;
    }
    for (size_t i = 0; i < config_key_count; i++) {
        if (lines[i] == 0 && config_keys[i].key.fallback[0] != '\0' &&
            !key_set(&config_keys[i], span_string(config_keys[i].key.fallback))) {
            snprintf(why, CONFIG_WHY_BYTES, "bug: the default of `%s` is refused",
                     config_keys[i].key.name);
            return false;
        }
    }
    return config_finish(name, lines, why);
}

bool config_read(const char *path, char why[CONFIG_WHY_BYTES])
{
    struct span text = SPAN("");
    if (path != NULL)
        text = settings_file(path);
    if (text.bytes == NULL) {
        snprintf(why, CONFIG_WHY_BYTES, "%s: %s; expected a readable file of at most %d bytes",
                 path, strerror(errno), SETTINGS_BYTES_MAX);
        return false;
    }
    return config_parse(path ? path : "(defaults)", text, why);
}

bool config_key(unsigned n, struct config_key *out)
{
    if (n >= config_key_count)
        return false;
    *out = config_keys[n].key;
    return true;
}

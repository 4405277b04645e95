/* Tests of src/config.c and base/settings.c: kith.conf. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "test.h"

static char why[CONFIG_WHY_BYTES];

static bool parse(const char *text)
{
    why[0] = '\0';
    return config_parse("kith.conf", span_string(text), why);
}

/* Refused, with this beginning of the message and this expectation in it. */
static bool refused(const char *text, const char *beginning, const char *expected)
{
    bool right = !parse(text) && strncmp(why, beginning, strlen(beginning)) == 0 &&
                 strstr(why, expected) != NULL;
    if (!right)
        fprintf(stderr, "%s -> %s\n", text, why);
    return right;
}

static void test_defaults(void)
{
    CHECK(config_read(NULL, why));
    CHECK(strcmp(config.domain, "localhost") == 0 && strcmp(config.data, "data") == 0);
    CHECK(config.listen_count == 2 && config.listen_tls_count == 2);
    CHECK(strcmp(config.listen[0].address, "0.0.0.0") == 0 && config.listen[0].port == 5222);
    CHECK(strcmp(config.listen[1].address, "::") == 0 && config.listen[1].port == 5222);
    CHECK(config.listen_tls[1].port == 5223);
    CHECK(config.certificate[0] == '\0' && config.key[0] == '\0');
    CHECK(strcmp(config.control, "data/control") == 0);
    CHECK(strcmp(config.profile, "sbc-64m") == 0 && config.memory == 0 &&
          config.offline_messages == 0);
    CHECK(config.registration == REGISTRATION_INVITE && config.sasl_plain);
    CHECK(!config.plaintext_on_loopback && config.rate_limits && config.sasl_iterations == 10000);
}

static void test_everything(void)
{
    CHECK(parse("# a comment\n"
                "domain = Chat.Example   # and another\r\n"
                "\n"
                "\tdata=/var/lib/kith\n"
                "listen = 127.0.0.1:1, [::1]:2\n"
                "listen = 192.0.2.1:65535\n"
                "listen_tls = none\n"
                "certificate = a#b.pem\n"
                "key = k.pem\n"
                "profile = router-8m\n"
                "memory = 8M\n"
                "control = /run/kith/control\n"
                "registration = invite\n"
                "sasl_plain = no\n"
                "allow_plaintext = loopback\n"
                "rate_limits = no\n"
                "sasl_iterations = 4096"));
    CHECK(strcmp(config.domain, "chat.example") == 0);
    CHECK(strcmp(config.data, "/var/lib/kith") == 0);
    CHECK(config.listen_count == 3 && config.listen_tls_count == 0);
    CHECK(strcmp(config.listen[1].address, "::1") == 0 && config.listen[1].port == 2);
    CHECK(config.listen[2].port == 65535);
    CHECK(strcmp(config.certificate, "a#b.pem") == 0);
    CHECK(config.memory == 8388608 && strcmp(config.control, "/run/kith/control") == 0);
    CHECK(config.registration == REGISTRATION_INVITE && !config.sasl_plain);
    CHECK(config.plaintext_on_loopback && !config.rate_limits && config.sasl_iterations == 4096);
    CHECK(parse("listen = 127.0.0.1:1 ,") && config.listen_count == 1);
    CHECK(parse("") && config.registration == REGISTRATION_INVITE && config.contact_count == 0);
    CHECK(parse("contact = mailto:a@chat.example\ncontact = xmpp:b@chat.example") &&
          config.contact_count == 2 && strcmp(config.contact[1], "xmpp:b@chat.example") == 0);
}

static void test_refusals(void)
{
    char line[400];
    CHECK(refused("domain = a.example\ncolour = red\n", "kith.conf:2: unknown key `colour`",
                  "--help"));
    CHECK(refused("\n\nsasl_plain = maybe", "kith.conf:3: `sasl_plain` cannot be `maybe`",
                  "expected yes or no"));
    CHECK(refused("sasl_iterations = 4095", "kith.conf:1:", "from 4096 to 1000000"));
    CHECK(refused("sasl_iterations = 1000001", "kith.conf:1:", "from 4096"));
    CHECK(refused("sasl_iterations = -1", "kith.conf:1:", "from 4096"));
    CHECK(refused("memory = 0", "kith.conf:1:", "bytes"));
    CHECK(refused("memory = 8X", "kith.conf:1:", "bytes"));
    CHECK(refused("memory = 99999999999999G", "kith.conf:1:", "bytes"));
    CHECK(refused("listen = 5222", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = 0.0.0.0:0", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = 0.0.0.0:65536", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = :::5222", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = localhost:5222", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = [127.0.0.1]:5222", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = :5222", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("listen = 127.0.0.1:1,,127.0.0.1:2", "kith.conf:1:", "ADDRESS:PORT"));
    CHECK(refused("data = a\ndata = b", "kith.conf:2: `data` again", "line 1"));
    CHECK(refused("domain", "kith.conf:1: expected `key = value`", ""));
    CHECK(refused("domain =", "kith.conf:1: expected `key = value`", ""));
    CHECK(refused("= localhost", "kith.conf:1: expected `key = value`", ""));
    CHECK(refused("domain = a b", "kith.conf:1: `domain` cannot be `a b`", "a domain name"));
    CHECK(refused("domain = a@b", "kith.conf:1:", "a domain name"));
    CHECK(refused("\ncertificate = a.pem", "kith.conf:2: `certificate` alone", "`key`"));
    CHECK(refused("key = a.pem", "kith.conf:1: `key` alone", "`certificate`"));
    CHECK(refused("registration = OPEN", "kith.conf:1:", "closed, invite, open or redirect"));
    CHECK(refused("\nverify = either", "kith.conf:2: `verify`", "`verify_command` as well"));
    CHECK(parse("verify = phone\nverify_command = send --code") && parse("verify = email"));
    CHECK(refused("\n\nregistration = redirect", "kith.conf:3: `registration` sends people",
                  "`registration_url` as well"));
    CHECK(parse("registration = redirect\nregistration_url = https://chat.example/new"));
    CHECK(refused("captcha_question = Why?", "kith.conf:1: `captcha_question` alone",
                  "`captcha_answer` as well"));
    CHECK(refused("\ncaptcha_answer = So", "kith.conf:2: `captcha_answer` alone",
                  "`captcha_question` as well"));
    CHECK(parse("captcha_question = Wer wei\xc3\x9f es?\ncaptcha_answer = 42") &&
          strcmp(config.captcha_question, "Wer wei\xc3\x9f es?") == 0);
    CHECK(refused("captcha_answer = 42\ncaptcha_question = \xff", "kith.conf:2:", "a line"));
    CHECK(refused("captcha_answer = 42\ncaptcha_question = a\x01", "kith.conf:2:", "a line"));
    CHECK(
        refused("captcha_answer = 42\ncaptcha_question = \xef\xbf\xbf", "kith.conf:2:", "a line"));
    CHECK(refused("contact = a@chat.example", "kith.conf:1:", "a URI"));
    CHECK(refused("contact = mailto:", "kith.conf:1:", "a URI"));
    CHECK(refused("contact = mailto:a b", "kith.conf:1:", "a URI"));
    CHECK(refused("contact = a:b\ncontact = a:b\ncontact = a:b\ncontact = a:b\ncontact = a:b",
                  "kith.conf:5:", "up to 4"));
    CHECK(refused("allow_plaintext = yes", "kith.conf:1:", "no or loopback"));

    memset(line, 'a', sizeof line);
    memcpy(line, "data = ", 7);
    line[sizeof line - 1] = '\0';
    CHECK(refused(line, "kith.conf:1: `data` cannot be", "a directory"));
    line[120] = '\0';
    CHECK(refused(line, "kith.conf: the path of the control socket", "`control`"));
    line[7 + 92] = '\0';
    CHECK(parse(line) && strlen(config.control) == 100);
    CHECK(config_parse("kith.conf", span_of("data = a\0b", 10), why) == false);
}

static void test_files(void)
{
    char path[] = "/tmp/kith-config-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, "domain = kith.example\n", 22) == 22);
    CHECK(config_read(path, why) && strcmp(config.domain, "kith.example") == 0);
    for (int i = 0; i < SETTINGS_BYTES_MAX / 16; i++)
        CHECK(write(file, "#23456789012345\n", 16) == 16);
    CHECK(close(file) == 0);
    CHECK(!config_read(path, why) && strstr(why, "16384 bytes") != NULL);
    CHECK(unlink(path) == 0);
    CHECK(!config_read(path, why) && strstr(why, "No such file") != NULL);
    CHECK(!config_read("/tmp", why) && strstr(why, "directory") != NULL);
}

static void test_durability(void)
{
    CHECK(refused("durability = no", "kith.conf:1:", "strict or relaxed"));
    CHECK(parse("durability = relaxed") && config.relaxed && parse("") && !config.relaxed);
}

/* Each default is accepted on a line of its own, and help has a text for each key. */
static void test_keys(void)
{
    struct config_key key;
    unsigned n = 0;
    while (config_key(n, &key)) {
        char line[200];
        snprintf(line, sizeof line, "%s = %s", key.name, key.fallback);
        CHECK(key.fallback[0] == '\0' || parse(line));
        CHECK(key.expected[0] != '\0' && key.meaning[0] != '\0');
        n++;
    }
    CHECK(n == 41);
}

int main(void)
{
    test_defaults();
    test_everything();
    test_refusals();
    test_files();
    test_durability();
    test_keys();
    return test_end();
}

/* Any bytes as kith.conf: taken whole, or refused with a line number and an expectation. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char why[CONFIG_WHY_BYTES] = "";
    char *copy = malloc(len ? len : 1);
    if (copy == NULL)
        return 0;
    memcpy(copy, bytes, len);
    bool taken = config_parse("f", span_of(copy, len), why);
    free(copy);
    if (taken) {
        if (config.listen_count > CONFIG_LISTEN_MAX ||
            config.listen_tls_count > CONFIG_LISTEN_MAX || config.domain[0] == '\0' ||
            config.control[0] == '\0' || strlen(config.control) > 100 ||
            config.sasl_iterations < 4096 ||
            (config.certificate[0] == '\0') != (config.key[0] == '\0') ||
            (config.captcha_question[0] == '\0') != (config.captcha_answer[0] == '\0') ||
            (config.registration == REGISTRATION_REDIRECT && config.registration_url[0] == '\0'))
            abort();
    } else if (strncmp(why, "f:", 2) != 0 || strstr(why, "expected") == NULL) {
        abort();
    }
    return 0;
}

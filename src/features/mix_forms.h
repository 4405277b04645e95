/* mix_forms.h: info and config of a channel (XEP-0369 5.1.5, XEP-0406 2.4): items, and publishing.
 */
#ifndef KITH_MIX_FORMS_H
#define KITH_MIX_FORMS_H

#include "features/mix_request.h"

#define MIX_INFO_BYTES_MAX                                                                         \
    (1024 + BUILD_ESCAPED_MAX(2 * CHANNEL_TEXT_BYTES_MAX + CHANNEL_PEOPLE_BYTES_MAX) +             \
     32 * CHANNEL_PEOPLE_MAX)
#define MIX_CONFIG_BYTES_MAX                                                                       \
    (8192 + BUILD_ESCAPED_MAX(2 * CHANNEL_PEOPLE_BYTES_MAX) + 64 * CHANNEL_PEOPLE_MAX)
void mix_info_item(struct build *build, const struct channel *channel);
void mix_config_item(struct build *build, const struct channel *channel);
void mix_info_publish(struct mix_request *request);
void mix_config_publish(struct mix_request *request);

#endif

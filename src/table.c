/* table.c: what may be asked of the server, one row each (design, idea 5). Service discovery is
 * derived from it. */
#include "core/adhoc.h"
#include "core/bind.h"
#include "core/client_state.h"
#include "core/inline.h"
#include "core/management.h"
#include "features/archive.h"
#include "features/archive_prefs.h"
#include "features/blocking.h"
#include "features/carbons.h"
#include "features/commands.h"
#include "features/commands_channel.h"
#include "features/disco.h"
#include "features/last.h"
#include "features/mix_archive.h"
#include "features/mix_disco.h"
#include "features/mix_invite.h"
#include "features/mix_nodes.h"
#include "features/mix_pam.h"
#include "features/mix_participants.h"
#include "features/mix_service.h"
#include "features/pep.h"
#include "features/ping.h"
#include "features/preauth.h"
#include "features/private_xml.h"
#include "features/registration.h"
#include "features/registration_account.h"
#include "features/registration_commands.h"
#include "features/roster.h"
#include "features/time.h"
#include "features/vcard.h"
#include "features/version.h"
#include "wire/names.h"

#define STRANGER (1 << PEER_STRANGER)
#define USER (1 << PEER_USER)
#define BOUND (1 << PEER_BOUND)
#define ANYWHERE (TO_SELF | TO_DOMAIN | TO_DOMAIN_RESOURCE)
#define PUBSUB_FEATURE(name)                                                                       \
    {                                                                                              \
        0, KIND_IQ_GET, 0, NS_PUBSUB "#" name, NULL, 0, ANNOUNCE_ACCOUNT, NULL                     \
    }
#define EVERYWHERE (ANNOUNCE_DOMAIN | ANNOUNCE_ACCOUNT)

const struct row table[] = {
    /* from         kind         to                   namespace       child       price announce
       handler */
    {USER | BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN, NS_BIND, "bind", 4, ANNOUNCE_NOWHERE,
     bind_request},
    {USER | BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN, NS_SESSION, "session", 1, ANNOUNCE_NOWHERE,
     session_request},
    {STRANGER, KIND_IQ_GET, TO_DOMAIN, NS_REGISTER, "query", 4, ANNOUNCE_NOWHERE,
     registration_get_request},
    {STRANGER, KIND_IQ_SET, TO_DOMAIN, NS_REGISTER, "query", 16, ANNOUNCE_NOWHERE,
     registration_set_request},
    {STRANGER, KIND_ELEMENT, TO_DOMAIN, NS_REGISTER_FLOW, "register", 4, ANNOUNCE_NOWHERE,
     registration_flow_request},
    {STRANGER, KIND_ELEMENT, TO_DOMAIN, NS_REGISTER_FLOW, "response", 16, ANNOUNCE_NOWHERE,
     registration_flow_request},
    {STRANGER, KIND_ELEMENT, TO_DOMAIN, NS_REGISTER_FLOW, "cancel", 1, ANNOUNCE_NOWHERE,
     registration_flow_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_DOMAIN | TO_ACCOUNT, NS_REGISTER, "query", 4,
     ANNOUNCE_REGISTER, account_get_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN | TO_ACCOUNT, NS_REGISTER, "query", 16,
     ANNOUNCE_REGISTER, account_set_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_DOMAIN, NS_REGISTER_FLOW, "register", 1, ANNOUNCE_DOMAIN,
     account_flows_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_DOMAIN, NS_REGISTER_FLOW, "recovery", 1, ANNOUNCE_DOMAIN,
     account_flows_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN, NS_REGISTER_FLOW, "register", 1, ANNOUNCE_DOMAIN,
     account_flow_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN, NS_REGISTER_FLOW, "recovery", 1, ANNOUNCE_DOMAIN,
     account_flow_request},
    {STRANGER, KIND_IQ_SET, TO_DOMAIN, NS_PARS, "preauth", 4, ANNOUNCE_NOWHERE, preauth_request},
    {USER | BOUND, KIND_IQ_GET, ANYWHERE | TO_ACCOUNT, NS_DISCO_INFO, "query", 2, EVERYWHERE,
     disco_info},
    {USER | BOUND, KIND_IQ_GET, ANYWHERE | TO_ACCOUNT, NS_DISCO_ITEMS, "query", 1, EVERYWHERE,
     disco_items},
    {0, KIND_IQ_GET, 0, NS_CAPS, NULL, 0, ANNOUNCE_DOMAIN, NULL}, /* XEP-0115 7 */
    {BOUND, KIND_IQ_GET, TO_SERVICE, NS_DISCO_INFO, "query", 2, ANNOUNCE_SERVICE,
     mix_service_info_request},
    {BOUND, KIND_IQ_GET, TO_SERVICE, NS_DISCO_ITEMS, "query", 16, ANNOUNCE_SERVICE,
     mix_service_items_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_DISCO_INFO, "query", 2, ANNOUNCE_CHANNEL,
     mix_channel_info_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_DISCO_ITEMS, "query", 2, ANNOUNCE_CHANNEL,
     mix_channel_items_request},
    {BOUND, KIND_IQ_SET, TO_SERVICE, NS_MIX, "create", 32, ANNOUNCE_SERVICE, mix_create_request},
    {BOUND, KIND_IQ_SET, TO_SERVICE, NS_MIX, "destroy", 32, ANNOUNCE_SERVICE, mix_destroy_request},
    {BOUND, KIND_IQ_GET, TO_SERVICE, NS_MIX, "create", 1, ANNOUNCE_NOWHERE,
     mix_service_get_request},
    {BOUND, KIND_IQ_GET, TO_SERVICE, NS_MIX, "destroy", 1, ANNOUNCE_NOWHERE,
     mix_service_get_request},
    {0, KIND_IQ_GET, 0, NS_MIX "#searchable", NULL, 0, ANNOUNCE_SERVICE, NULL}, /* XEP-0369 6.1 */
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX, "join", 32, ANNOUNCE_CHANNEL, mix_join_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX_MISC, "join", 32, ANNOUNCE_NOWHERE, mix_join_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX_ANON, "join", 32, ANNOUNCE_NOWHERE, mix_join_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX, "leave", 32, ANNOUNCE_CHANNEL, mix_leave_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX, "setnick", 16, ANNOUNCE_CHANNEL, mix_setnick_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX, "update-subscription", 16, ANNOUNCE_CHANNEL,
     mix_subscription_request},
    {BOUND, KIND_IQ_SET, TO_DOMAIN, NS_COMMANDS, "command", 16, ANNOUNCE_DOMAIN, command_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_COMMANDS, "command", 16, ANNOUNCE_CHANNEL, command_request},
    {BOUND, KIND_IQ_GET, TO_SELF, NS_ROSTER, "query", 8, ANNOUNCE_NOWHERE, roster_get_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_ROSTER, "query", 8, ANNOUNCE_NOWHERE, roster_set_request},
    {BOUND, KIND_IQ_GET, TO_SELF, NS_BLOCKING, "blocklist", 4, ANNOUNCE_DOMAIN, blocklist_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_BLOCKING, "block", 16, ANNOUNCE_DOMAIN, block_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_BLOCKING, "unblock", 16, ANNOUNCE_DOMAIN, unblock_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_CARBONS, "enable", 1, ANNOUNCE_DOMAIN, carbons_enable_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_CARBONS, "disable", 1, ANNOUNCE_DOMAIN,
     carbons_disable_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_MAM, "query", 16,
     ANNOUNCE_ARCHIVE | ANNOUNCE_ARCHIVE_DOMAIN, /* profanity 0.13 asks the domain only */
     archive_query_request},
    {BOUND, KIND_IQ_GET, TO_SELF, NS_MAM, "query", 2, ANNOUNCE_ARCHIVE, archive_form_request},
    {BOUND, KIND_IQ_GET, TO_SELF, NS_MAM, "metadata", 2, ANNOUNCE_ARCHIVE,
     archive_metadata_request},
    {BOUND, KIND_IQ_GET, TO_SELF, NS_MAM, "prefs", 2, ANNOUNCE_ARCHIVE, archive_prefs_get_request},
    {BOUND, KIND_IQ_SET, TO_SELF, NS_MAM, "prefs", 16, ANNOUNCE_ARCHIVE, archive_prefs_set_request},
    {0, KIND_IQ_GET, 0, NS_MAM "#extended", NULL, 0, ANNOUNCE_ARCHIVE | ANNOUNCE_ARCHIVE_CHANNEL,
     NULL}, /* XEP-0313 7 */
    {0, KIND_IQ_GET, 0, NS_MAM "#groupchat-field", NULL, 0, ANNOUNCE_ARCHIVE, NULL},
    {0, KIND_IQ_GET, 0, NS_MAM "#groupchat-available", NULL, 0, ANNOUNCE_ARCHIVE, NULL},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_MIX_PAM, "client-join", 16, ANNOUNCE_ACCOUNT,
     client_join_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_MIX_PAM, "client-leave", 16, ANNOUNCE_ACCOUNT,
     client_leave_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_MIX_PAM_OLD, "client-join", 16, ANNOUNCE_NOWHERE,
     client_join_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_MIX_PAM_OLD, "client-leave", 16, ANNOUNCE_NOWHERE,
     client_leave_request},
    {0, KIND_IQ_GET, 0, NS_MIX_PAM "#archive", NULL, 0, ANNOUNCE_ARCHIVE, NULL}, /* XEP-0405 2.4 */
    {0, KIND_IQ_GET, 0, NS_OFFLINE, NULL, 0, ANNOUNCE_DOMAIN, NULL},             /* XEP-0160 4 */
    {0, KIND_IQ_GET, 0, NS_STANZA_ID, NULL, 0, EVERYWHERE | ANNOUNCE_CHANNEL,
     NULL}, /* XEP-0359 5 */
    {USER | BOUND, KIND_IQ_GET, ANYWHERE, NS_PING, "ping", 1, EVERYWHERE, ping_request},
    {USER | BOUND, KIND_IQ_GET, TO_DOMAIN, NS_VERSION, "query", 1, ANNOUNCE_DOMAIN,
     version_request},
    {USER | BOUND, KIND_IQ_GET, TO_DOMAIN, NS_TIME, "time", 1, ANNOUNCE_DOMAIN, time_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_DOMAIN | TO_ACCOUNT, NS_LAST, "query", 2, EVERYWHERE,
     last_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_ACCOUNT, NS_VCARD, "vCard", 8, EVERYWHERE, vcard_get_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_VCARD, "vCard", 32, EVERYWHERE,
     vcard_set_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_ACCOUNT, NS_PRIVATE, "query", 8, EVERYWHERE,
     private_get_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_PRIVATE, "query", 32, EVERYWHERE,
     private_set_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_ACCOUNT, NS_PUBSUB, "pubsub", 8, ANNOUNCE_ACCOUNT,
     pep_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_PUBSUB, "pubsub", 16, ANNOUNCE_ACCOUNT,
     pep_request},
    {BOUND, KIND_IQ_GET, TO_SELF | TO_ACCOUNT, NS_PUBSUB_OWNER, "pubsub", 8, ANNOUNCE_ACCOUNT,
     pep_request},
    {BOUND, KIND_IQ_SET, TO_SELF | TO_ACCOUNT, NS_PUBSUB_OWNER, "pubsub", 16, ANNOUNCE_ACCOUNT,
     pep_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_PUBSUB, "pubsub", 8, ANNOUNCE_NOWHERE, mix_pubsub_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_PUBSUB, "pubsub", 16, ANNOUNCE_NOWHERE, mix_pubsub_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_PUBSUB_OWNER, "pubsub", 8, ANNOUNCE_NOWHERE,
     mix_pubsub_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_PUBSUB_OWNER, "pubsub", 16, ANNOUNCE_NOWHERE,
     mix_pubsub_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MAM, "query", 16, ANNOUNCE_ARCHIVE_CHANNEL,
     mix_archive_query_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_MAM, "query", 2, ANNOUNCE_ARCHIVE_CHANNEL,
     mix_archive_form_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_MAM, "metadata", 2, ANNOUNCE_ARCHIVE_CHANNEL,
     mix_archive_metadata_request},
    {BOUND, KIND_IQ_GET, TO_CHANNEL, NS_MIX_MISC, "invite", 16, ANNOUNCE_NOWHERE,
     mix_invite_request},
    {BOUND, KIND_IQ_SET, TO_CHANNEL, NS_MIX_MISC, "invite", 16, ANNOUNCE_NOWHERE,
     mix_invite_request},
    PUBSUB_FEATURE("access-authorize"),
    PUBSUB_FEATURE("access-open"),
    PUBSUB_FEATURE("access-presence"),
    PUBSUB_FEATURE("access-roster"),
    PUBSUB_FEATURE("access-whitelist"),
    PUBSUB_FEATURE("auto-create"),
    PUBSUB_FEATURE("auto-subscribe"),
    PUBSUB_FEATURE("config-node"),
    PUBSUB_FEATURE("create-and-configure"),
    PUBSUB_FEATURE("create-nodes"),
    PUBSUB_FEATURE("delete-items"),
    PUBSUB_FEATURE("delete-nodes"),
    PUBSUB_FEATURE("filtered-notifications"),
    PUBSUB_FEATURE("instant-nodes"),
    PUBSUB_FEATURE("item-ids"),
    PUBSUB_FEATURE("last-published"),
    PUBSUB_FEATURE("manage-subscriptions"),
    PUBSUB_FEATURE("member-affiliation"),
    PUBSUB_FEATURE("meta-data"),
    PUBSUB_FEATURE("modify-affiliations"),
    PUBSUB_FEATURE("multi-items"),
    PUBSUB_FEATURE("outcast-affiliation"),
    PUBSUB_FEATURE("persistent-items"),
    PUBSUB_FEATURE("publish"),
    PUBSUB_FEATURE("publish-options"), /* and of the domain: profanity 0.13 asks it only */
    {0, KIND_IQ_GET, 0, NS_PUBSUB "#publish-options", NULL, 0, ANNOUNCE_DOMAIN, NULL},
    PUBSUB_FEATURE("purge-nodes"),
    PUBSUB_FEATURE("retract-items"),
    PUBSUB_FEATURE("retrieve-default"),
    PUBSUB_FEATURE("retrieve-items"),
    PUBSUB_FEATURE("subscribe"),
    PUBSUB_FEATURE("subscription-notifications"),
    {0, KIND_IQ_GET, 0, NS_AVATAR_CONVERSION, NULL, 0, ANNOUNCE_ACCOUNT, NULL},   /* XEP-0398 2 */
    {0, KIND_IQ_GET, 0, NS_BOOKMARKS "#compat", NULL, 0, ANNOUNCE_ACCOUNT, NULL}, /* XEP-0402 6 */
};

const size_t table_len = sizeof table / sizeof table[0];

/* The same for ad-hoc commands, which are asked of the domain. */
const struct adhoc adhoc[] = {
    {NS_INVITE_OLD "#invite", "Invite a friend", ADHOC_USERS, NULL, invite_run},
    {NS_INVITE_OLD "#create-account", "Create account", ADHOC_REGISTRARS, create_account_ask,
     create_account_run},
    {NODE_INVITE "#create", "Create invitation", ADHOC_USERS, invite_create_ask, invite_create_run},
    {NODE_INVITE "#list", "List invitations", ADHOC_USERS, NULL, invite_list_run},
    {NODE_INVITE "#revoke", "Revoke invitations", ADHOC_USERS, invite_revoke_ask,
     invite_revoke_run},
    {NODE_REGISTER "#pending", "List pending registrations", ADHOC_ADMINS, NULL, pending_list_run},
    {NODE_REGISTER "#approve", "Approve registration", ADHOC_ADMINS, pending_ask,
     pending_approve_run},
    {NODE_REGISTER "#refuse", "Refuse registration", ADHOC_ADMINS, pending_ask, pending_refuse_run},
    {NODE_MIX "#invite", "Invite into the channel", ADHOC_INVITERS, channel_invite_ask,
     channel_invite_run},
    {NODE_MIX "#list", "List invitations", ADHOC_INVITERS, NULL, channel_list_run},
    {NODE_MIX "#revoke", "Revoke invitations", ADHOC_INVITERS, channel_revoke_ask,
     channel_revoke_run},
    {NODE_MIX "#revoke-all", "Revoke all invitations", ADHOC_KEEPERS, NULL, channel_revoke_all_run},
};

const size_t adhoc_len = sizeof adhoc / sizeof adhoc[0];

/* What may be asked for together with a login. A row needs no code elsewhere, so that what is
 * offered there is what there is. */
const struct inline_feature inline_features[] = {
    {INLINE_INSTEAD, NS_MANAGEMENT, "resume", "<sm xmlns='" NS_MANAGEMENT "'/>",
     management_instead},
    {INLINE_BOUND, NS_MANAGEMENT, "enable", NS_MANAGEMENT, management_bound},
    {INLINE_BOUND, NS_CLIENT_STATE, "inactive", NS_CLIENT_STATE, client_state_bound},
    {INLINE_BOUND, NS_CARBONS, "enable", NS_CARBONS, carbons_bound},
    {INLINE_BOUND, NS_MAM, NULL, NULL, archive_bound},
    {.namespace = NULL},
};

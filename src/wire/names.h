/* names.h: every namespace, once. */
#ifndef KITH_NAMES_H
#define KITH_NAMES_H

#define NS_STREAM "http://etherx.jabber.org/streams"
#define NS_CLIENT "jabber:client"
#define NS_XML "http://www.w3.org/XML/1998/namespace"
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define NS_TOO_BIG "urn:xmpp:errors" /* 6120 4.9.3.14: <stanza-too-big/> */
#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define NS_MANAGEMENT "urn:xmpp:sm:3"
#define NS_CLIENT_STATE "urn:xmpp:csi:0"
#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_SASL2 "urn:xmpp:sasl:2"
#define NS_BIND2 "urn:xmpp:bind:0"
#define NS_FAST "urn:xmpp:fast:0"
#define NS_CHANNEL_BINDING "urn:xmpp:sasl-cb:0"
#define NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"
#define NS_LIMITS "urn:xmpp:stream-limits:0"
#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info"
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"
#define NS_CAPS "http://jabber.org/protocol/caps"
#define NS_CAPS_NODE "urn:kith:server" /* before # and the hash of our own capabilities */
#define NS_DATA_FORMS "jabber:x:data"
#define NS_CONTACTS "http://jabber.org/network/serverinfo" /* XEP-0157 */
#define NS_PING "urn:xmpp:ping"
#define NS_VERSION "jabber:iq:version"
#define NS_LAST "jabber:iq:last"
#define NS_TIME "urn:xmpp:time"
#define NS_VCARD "vcard-temp"
#define NS_VCARD_UPDATE "vcard-temp:x:update"
#define NS_PRIVATE "jabber:iq:private"
#define NS_ROSTER "jabber:iq:roster"
#define NS_ROSTER_VERSIONS "urn:xmpp:features:rosterver"
#define NS_OFFLINE "msgoffline" /* a name for service discovery only */
#define NS_HINTS "urn:xmpp:hints"
#define NS_DELAY "urn:xmpp:delay"
#define NS_STANZA_ID "urn:xmpp:sid:0"
#define NS_CHAT_STATES "http://jabber.org/protocol/chatstates"
#define NS_RECEIPTS "urn:xmpp:receipts"
#define NS_MARKERS "urn:xmpp:chat-markers:0"
#define NS_CONFERENCE "jabber:x:conference" /* XEP-0249: an invitation */
#define NS_MUC_USER "http://jabber.org/protocol/muc#user"
#define NS_CARBONS "urn:xmpp:carbons:2"
#define NS_FORWARD "urn:xmpp:forward:0"
#define NS_BLOCKING "urn:xmpp:blocking"
#define NS_BLOCKING_ERRORS "urn:xmpp:blocking:errors"
#define NS_REPORTING "urn:xmpp:reporting:1"
#define NS_REGISTER "jabber:iq:register"
#define NS_REGISTER_FEATURE "http://jabber.org/features/iq-register"
#define NS_REGISTER_FLOW "urn:xmpp:register:0"
#define NS_REGISTER_OWN "urn:kith:register:0"          /* conditions and form fields of ours */
#define NS_REGISTER_CPE "urn:cadmium:profile:register" /* of CPE#3 */
#define NS_CAPTCHA "urn:xmpp:captcha"
#define NS_IBR_TOKEN "urn:xmpp:ibr-token:0"
#define NS_INVITE_OLD "urn:xmpp:invite" /* XEP-0445 before it had a number (REG-2) */
#define NS_PARS "urn:xmpp:pars:0"
#define NS_OOB "jabber:x:oob"
#define NS_COMMANDS "http://jabber.org/protocol/commands"
#define NS_INVITE_OWN "urn:kith:invite:0" /* form fields of ours */
#define NODE_INVITE "urn:kith:invite"     /* before the names of our own commands */
#define NODE_REGISTER "urn:kith:register"
#define NS_PUBSUB "http://jabber.org/protocol/pubsub"
#define NS_PUBSUB_OWNER "http://jabber.org/protocol/pubsub#owner"
#define NS_PUBSUB_EVENT "http://jabber.org/protocol/pubsub#event"
#define NS_PUBSUB_ERRORS "http://jabber.org/protocol/pubsub#errors"
#define NS_PUBSUB_CONFIG "http://jabber.org/protocol/pubsub#node_config"
#define NS_PUBSUB_OPTIONS "http://jabber.org/protocol/pubsub#publish-options"
#define NS_PUBSUB_AUTHORIZE "http://jabber.org/protocol/pubsub#subscribe_authorization"
#define NS_PUBSUB_META "http://jabber.org/protocol/pubsub#meta-data"
#define NS_AVATAR_DATA "urn:xmpp:avatar:data"
#define NS_AVATAR_METADATA "urn:xmpp:avatar:metadata"
#define NS_AVATAR_CONVERSION "urn:xmpp:pep-vcard-conversion:0"
#define NS_PRE_APPROVAL "urn:xmpp:features:pre-approval"

#endif

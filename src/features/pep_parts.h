/* pep_parts.h: what the files of PEP share: a request about a node, its refusals, its forms. */
#ifndef KITH_PEP_PARTS_H
#define KITH_PEP_PARTS_H

#include "core/pep.h"
#include "wire/form.h"

/* A child of <pubsub/>, whose it is that it asks for, and the node that it names. */
struct pep_request {
    struct turn *turn;
    const struct node *element;
    struct jid owner; /* bare */
    bool own;         /* its owner asks */
    struct span name;
    struct pep_node node;
};

#define PEP_CONDITION(name) SPAN("<" name " xmlns='" NS_PUBSUB_ERRORS "'/>")
void pep_refuse(struct turn *turn, enum stanza_error error, struct span condition);
void pep_refuse_outcome(struct turn *turn, enum pep_outcome outcome);
void pep_refuse_feature(struct turn *turn, const char *feature);

/* Reads the node; where there is none or the asker may not see it an answer was given: false. */
bool pep_find(struct pep_request *request);

/* The same for who asks to be subscribed: that the node needs just this is no answer yet. */
bool pep_find_subscribable(struct pep_request *request);

/* pep_config.c: forms of a node's configuration. */
enum pep_form {
    PEP_FORM_GOOD,
    PEP_FORM_BAD,     /* a value that is none, or not to be had */
    PEP_FORM_UNKNOWN, /* a field that is not known */
    PEP_FORM_OTHER,   /* it is another form, or none */
};
/* What the fields of a submitted form say, into config. strict: unknown fields are refused. Groups
 * are in the arena. */
enum pep_form pep_config_read(struct turn *turn, const struct node *form, const char *form_type,
                              bool strict, struct pep_config *settings);
/* Whether a submitted form asks for nothing else than what is there. */
bool pep_config_equal(const struct pep_config *one, const struct pep_config *other);
void pep_config_build(struct build *build, const char *type, const struct pep_config *settings);

/* Requests of owners (pep_owner.c, pep_people.c) and of subscribers. */
void pep_create_request(struct pep_request *request);
void pep_configure_get_request(struct pep_request *request);
void pep_configure_set_request(struct pep_request *request);
void pep_default_request(struct pep_request *request);
void pep_delete_request(struct pep_request *request);
void pep_purge_request(struct pep_request *request);
void pep_affiliations_get_request(struct pep_request *request);
void pep_affiliations_set_request(struct pep_request *request);
void pep_subscriptions_get_request(struct pep_request *request);
void pep_subscriptions_set_request(struct pep_request *request);
void pep_subscribe_request(struct pep_request *request);
void pep_unsubscribe_request(struct pep_request *request);

/* The person as it shall be now; and told so. */
enum store_outcome pep_subscription_put(struct pep_request *request,
                                        const struct pep_person *person);
void pep_subscription_tell(struct pep_request *request, const struct pep_person *person);
/* pep_authorize.c: somebody waits. */
void pep_authorize_ask(struct pep_request *request, const struct pep_person *person);

/* pep_avatar.c: the account's metadata node has a new item (XEP-0398 3.1). */
void pep_avatar_published(struct pep_request *request, const struct pep_item *item);

#endif

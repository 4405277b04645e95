/* mix_forms.c: info and config of a channel as forms (XEP-0369 5.1.5, XEP-0406 2.4), one table of
 * the fields of each; a field that is not sent keeps its value (XEP-0406 3.1, 3.2). */
#include "features/mix_forms.h"
#include "features/mix_lists.h"
#include "wire/form.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define TELLING_BYTES 8192 /* of the arena, for an event and an answer beside their item */

/* --- rights --- */

static const char *const roles[] = {
    [ROLE_ANYONE] = "anyone", [ROLE_ALLOWED] = "allowed", [ROLE_PARTICIPANT] = "participants",
    [ROLE_ADMIN] = "admins",  [ROLE_OWNER] = "owners",    [ROLE_NOBODY] = "nobody",
};
#define ROLES (sizeof roles / sizeof roles[0])
#define ROLE(name) (1u << ROLE_##name)
#define WIDE (ROLE(PARTICIPANT) | ROLE(ALLOWED) | ROLE(ANYONE))
#define NARROW (ROLE(PARTICIPANT) | ROLE(ALLOWED) | ROLE(NOBODY) | ROLE(ADMIN) | ROLE(OWNER))

/* The table of XEP-0406 2.4, as far as there is what a field says. */
static const struct right {
    const char *var;
    unsigned values; /* mask of 1 << enum channel_role */
    size_t place;    /* in struct channel: uint8_t */
} rights[] = {
    {"Messages Node Subscription", WIDE, offsetof(struct channel, subscribe[CHANNEL_MESSAGES])},
    {"Participants Node Subscription", WIDE | NARROW,
     offsetof(struct channel, subscribe[CHANNEL_PARTICIPANTS])},
    {"Information Node Subscription", WIDE, offsetof(struct channel, subscribe[CHANNEL_INFO])},
    {"Allowed Node Subscription", NARROW, offsetof(struct channel, subscribe[CHANNEL_ALLOWED])},
    {"Banned Node Subscription", NARROW, offsetof(struct channel, subscribe[CHANNEL_BANNED])},
    {"Configuration Node Access", NARROW, offsetof(struct channel, subscribe[CHANNEL_CONFIG])},
    {"Information Node Update Rights", ROLE(PARTICIPANT) | ROLE(ADMIN) | ROLE(OWNER),
     offsetof(struct channel, info_update)},
    {"Administrator Message Retraction Rights", ROLE(NOBODY) | ROLE(ADMIN) | ROLE(OWNER),
     offsetof(struct channel, retract_any)},
};

static const struct {
    const char *var;
    uint8_t flag;
} flags[] = {
    {"User Message Retraction", CHANNEL_RETRACT_OWN},
    {"Participation Addition by Invitation from Participant", CHANNEL_INVITE_ALL},
    {"Mandatory Nicks", CHANNEL_NICKS_NEEDED},
};

#define RIGHTS (sizeof rights / sizeof rights[0])
#define FLAGS (sizeof flags / sizeof flags[0])

/* --- writing --- */

static void people_put(struct build *build, const char *var, struct span people)
{
    struct span one;
    form_open(build, "jid-multi", var, NULL, false);
    while (jid_list_next(&people, &one))
        form_add(build, one);
    form_shut(build);
}

static void item_begin(struct build *build, uint64_t changed_us)
{
    char id[TIMESTAMP_BYTES];
    timestamp_write(changed_us, id);
    build_str(build, "<item");
    build_attr(build, "id", span_of(id, sizeof id));
    build_str(build, ">");
}

void mix_info_item(struct build *build, const struct channel *channel)
{
    item_begin(build, channel->info_us);
    form_begin(build, "result", NULL, NULL, NS_MIX);
    form_put(build, "text-single", "Name", NULL, channel->name, false);
    form_put(build, "text-single", "Description", NULL, channel->description, false);
    people_put(build, "Contact", channel->contacts);
    form_end(build);
    build_str(build, "</item>");
}

static void nodes_put(struct build *build, const struct channel *channel)
{
    form_open(build, "list-multi", "Nodes Present", NULL, false);
    form_add(build, SPAN("participants"));
    form_add(build, SPAN("information"));
    if (channel->flags & CHANNEL_PRIVATE)
        form_add(build, SPAN("allowed"));
    form_add(build, SPAN("banned"));
    form_shut(build);
}

void mix_config_item(struct build *build, const struct channel *channel)
{
    item_begin(build, channel->config_us);
    form_begin(build, "result", NULL, NULL, NS_MIX_ADMIN);
    if (channel->changed_by.len > 0)
        form_put(build, "jid-single", "Last Change Made By", NULL, channel->changed_by, false);
    people_put(build, "Owner", channel->owners);
    people_put(build, "Administrator", channel->admins);
    nodes_put(build, channel);
    for (size_t i = 0; i < RIGHTS; i++) {
        uint8_t role = *((const uint8_t *)channel + rights[i].place);
        form_put(build, "list-single", rights[i].var, NULL,
                 span_string(roles[role < ROLES ? role : ROLE_NOBODY]), false);
    }
    for (size_t i = 0; i < FLAGS; i++)
        form_put(build, "boolean", flags[i].var, NULL,
                 channel->flags & flags[i].flag ? SPAN("true") : SPAN("false"), false);
    form_put(build, "boolean", "Private Messages", NULL, SPAN("false"), false);
    form_end(build);
    build_str(build, "</item>");
}

/* --- reading --- */

/* Each of these: -1: good; else enum stanza_error. A field that is absent is good. */

/* Several lines may come as several values. */
static int text_read(struct mix_request *request, const struct node *form, const char *var,
                     struct span *out)
{
    const struct stanza *stanza = request->turn->stanza;
    struct arena *arena = &request->turn->server->arena;
    const struct node *field = form_field(stanza, form, var), *at = NULL;
    struct span value;
    struct build text;
    if (field == NULL)
        return -1;
    build_init(&text, arena, CHANNEL_TEXT_BYTES_MAX);
    if (text.full)
        return ERROR_RESOURCE_CONSTRAINT;
    for (bool first = true; (value = form_values(stanza, field, &at, arena)).bytes != NULL;
         first = false) {
        build_str(&text, first ? "" : "\n");
        build_put(&text, value);
    }
    *out = build_span(&text);
    return at != NULL ? ERROR_RESOURCE_CONSTRAINT : text.full ? ERROR_NOT_ACCEPTABLE : -1;
}

static int people_read(struct mix_request *request, const struct node *form, const char *var,
                       struct span *out)
{
    struct turn *turn = request->turn;
    struct arena *arena = &turn->server->arena;
    const struct node *field = form_field(turn->stanza, form, var), *at = NULL;
    struct span value;
    struct build people;
    unsigned count = 0;
    if (field == NULL)
        return -1;
    build_init(&people, arena, CHANNEL_PEOPLE_BYTES_MAX);
    if (people.full)
        return ERROR_RESOURCE_CONSTRAINT;
    while ((value = form_values(turn->stanza, field, &at, arena)).bytes != NULL) {
        struct jid jid;
        if (!jid_parse(value, arena, &jid) || jid.resource_len > 0 || jid.local_len == 0)
            return ERROR_BAD_REQUEST;
        if (jid_list_has(span_of(people.bytes, people.used), jid_bare(&jid)))
            continue;
        jid_list_put(&people, jid_bare(&jid));
        if (++count > CHANNEL_PEOPLE_MAX || people.full)
            return ERROR_NOT_ACCEPTABLE;
    }
    *out = build_span(&people);
    return at == NULL ? -1 : ERROR_RESOURCE_CONSTRAINT;
}

static int right_read(struct mix_request *request, const struct node *form,
                      const struct right *right, struct channel *channel)
{
    struct span value =
        form_value(request->turn->stanza, form, right->var, &request->turn->server->arena);
    if (form_field(request->turn->stanza, form, right->var) == NULL)
        return -1;
    for (unsigned role = 0; role < ROLES; role++)
        if ((right->values & 1u << role) && span_is(value, roles[role])) {
            *((uint8_t *)channel + right->place) = (uint8_t)role;
            return -1;
        }
    return ERROR_BAD_REQUEST;
}

static int flag_read(struct mix_request *request, const struct node *form, unsigned i,
                     struct channel *channel)
{
    struct span value =
        form_value(request->turn->stanza, form, flags[i].var, &request->turn->server->arena);
    if (form_field(request->turn->stanza, form, flags[i].var) == NULL)
        return -1;
    if (form_true(value))
        channel->flags |= flags[i].flag;
    else if (span_is(value, "0") || span_is(value, "false"))
        channel->flags &= (uint8_t)~flags[i].flag;
    else
        return ERROR_BAD_REQUEST;
    return -1;
}

/* The others are always there, or never. */
static int nodes_read(struct mix_request *request, const struct node *form, struct channel *channel)
{
    const struct stanza *stanza = request->turn->stanza;
    struct arena *arena = &request->turn->server->arena;
    const struct node *field = form_field(stanza, form, "Nodes Present"), *at = NULL;
    struct span value;
    if (field == NULL)
        return -1;
    channel->flags &= (uint8_t)~CHANNEL_PRIVATE;
    while ((value = form_values(stanza, field, &at, arena)).bytes != NULL)
        if (span_is(value, "allowed"))
            channel->flags |= CHANNEL_PRIVATE;
    return at == NULL ? -1 : ERROR_RESOURCE_CONSTRAINT;
}

/* The form of the item that is to be published. NULL: it was refused. */
static const struct node *form_of(struct mix_request *request, const char *type)
{
    const struct stanza *stanza = request->turn->stanza;
    const struct node *item = mix_item(request);
    const struct node *form = item == NULL ? NULL : form_find(stanza, item);
    enum form_type kind = form_type(stanza, form);
    if ((kind == FORM_SUBMIT || kind == FORM_RESULT) &&
        span_is(form_value(stanza, form, "FORM_TYPE", &request->turn->server->arena), type))
        return form;
    reply_error(request->turn, ERROR_BAD_REQUEST);
    return NULL;
}

/* The name of an item: a later one each time, also within a millisecond. */
static uint64_t change_us(const struct server *server, uint64_t last_us)
{
    return server->wall_us / 1000 > last_us / 1000 ? server->wall_us : last_us + 1000;
}

/* --- publishing --- */

static void publish(struct mix_request *request, const struct channel *changed, size_t bytes_max,
                    void (*put)(struct build *, const struct channel *), uint64_t changed_us)
{
    struct server *server = request->turn->server;
    struct build item;
    char id[TIMESTAMP_BYTES];
    build_init(&item, &server->arena, bytes_max);
    put(&item, changed);
    size_t mark = server->arena.used; /* to tell of it takes as much again */
    bool can_tell = arena_take(&server->arena, item.used + TELLING_BYTES) != NULL;
    arena_reset(&server->arena, mark);
    if (item.full || !can_tell || !store_has_room(server->store, CHANNEL_CHANGE_BYTES)) {
        reply_error(request->turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    bool opened = (request->channel.channel.flags & ~changed->flags) & CHANNEL_PRIVATE;
    enum store_outcome outcome = opened ? mix_allowed_end(request) : STORE_OK;
    if (outcome == STORE_OK)
        outcome = channel_put(server->store, request->channel.local, changed);
    if (outcome != STORE_OK) {
        reply_store_error(request->turn, outcome);
        return;
    }
    request->channel.channel = *changed;
    timestamp_write(changed_us, id);
    mix_published(request, span_of(id, sizeof id), build_span(&item));
}

void mix_info_publish(struct mix_request *request)
{
    struct channel changed = request->channel.channel;
    const struct node *form;
    if (!channel_may(request->role, (enum channel_role)changed.info_update)) {
        reply_error(request->turn, ERROR_FORBIDDEN);
        return;
    }
    if ((form = form_of(request, NS_MIX)) == NULL)
        return;
    int error = text_read(request, form, "Name", &changed.name);
    if (error < 0)
        error = text_read(request, form, "Description", &changed.description);
    if (error < 0)
        error = people_read(request, form, "Contact", &changed.contacts);
    if (error >= 0) {
        reply_error(request->turn, (enum stanza_error)error);
        return;
    }
    changed.info_us = change_us(request->turn->server, changed.info_us);
    publish(request, &changed, MIX_INFO_BYTES_MAX, mix_info_item, changed.info_us);
}

static int config_read(struct mix_request *request, const struct node *form,
                       struct channel *changed)
{
    int error = people_read(request, form, "Owner", &changed->owners);
    if (error < 0)
        error = people_read(request, form, "Administrator", &changed->admins);
    for (size_t i = 0; error < 0 && i < RIGHTS; i++)
        error = right_read(request, form, &rights[i], changed);
    for (unsigned i = 0; error < 0 && i < FLAGS; i++)
        error = flag_read(request, form, i, changed);
    if (error < 0)
        error = nodes_read(request, form, changed);
    if (error < 0 && changed->owners.len == 0)
        error = ERROR_NOT_ACCEPTABLE; /* XEP-0406 2.1 */
    return error;
}

void mix_config_publish(struct mix_request *request)
{
    struct channel changed = request->channel.channel;
    const struct node *form;
    if (request->role < ROLE_OWNER) {
        reply_error(request->turn, ERROR_FORBIDDEN);
        return;
    }
    if ((form = form_of(request, NS_MIX_ADMIN)) == NULL)
        return;
    int error = config_read(request, form, &changed);
    if (error >= 0) {
        reply_error(request->turn, (enum stanza_error)error);
        return;
    }
    changed.config_us = change_us(request->turn->server, changed.config_us);
    changed.changed_by = jid_bare(&request->who);
    publish(request, &changed, MIX_CONFIG_BYTES_MAX, mix_config_item, changed.config_us);
}

/* Tests of src/wire/form.c: what clients send, and that what is written reads back the same. */
#include "wire/form.h"

#include <string.h>

#include "test.h"
#include "wire/xml.h"

#define REGION_BYTES ((size_t)4 << 20)
#define ARENA_BYTES ((size_t)1 << 20)

static _Alignas(4096) char region[REGION_BYTES];
static _Alignas(16) char arena_bytes[ARENA_BYTES];
static struct xml *xml;
static struct arena arena;
static struct stanza stanza;

/* The form in <query>inside</query>. */
static const struct node *form_of(const char *inside)
{
    static char source[65536];
    int len =
        snprintf(source, sizeof source, "<query xmlns='jabber:iq:register'>%s</query>", inside);
    arena_reset(&arena, 0);
    CHECK(len > 0 && (size_t)len < sizeof source);
    CHECK(xml_read(xml, XML_CONTENT_DEFAULT, span_of(source, (size_t)len), &arena, &stanza) ==
          XML_OK);
    return form_find(&stanza, stanza_root(&stanza));
}

static bool value_is(const struct node *form, const char *var, const char *value)
{
    struct span found = form_value(&stanza, form, var, &arena);
    return value == NULL ? found.bytes == NULL : found.bytes != NULL && span_is(found, value);
}

#define X(inside) "<x xmlns='jabber:x:data' type='submit'>" inside "</x>"

static void test_types(void)
{
    static const struct {
        const char *source;
        enum form_type type;
    } cases[] = {
        {"", FORM_NONE},
        {"<x/>", FORM_NONE}, /* of another namespace */
        {"<x xmlns='jabber:x:data'/>", FORM_SUBMIT},
        {"<x xmlns='jabber:x:data' type='submit'/>", FORM_SUBMIT},
        {"<x xmlns='jabber:x:data' type='form'/>", FORM_FORM},
        {"<x xmlns='jabber:x:data' type='cancel'/>", FORM_CANCEL},
        {"<x xmlns='jabber:x:data' type='result'/>", FORM_RESULT},
        {"<x xmlns='jabber:x:data' type='Submit'/>", FORM_UNKNOWN},
        {"<x xmlns='jabber:x:data' type=''/>", FORM_UNKNOWN},
        {"<username/><x/><x xmlns='jabber:x:data' type='form'/>", FORM_FORM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct node *form = form_of(cases[i].source);
        CHECK((form == NULL) == (cases[i].type == FORM_NONE));
        CHECK(form_type(&stanza, form) == cases[i].type);
    }
}

static void test_fields(void)
{
    const struct node *at = NULL;
    const struct node *form =
        form_of(X("<field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>"
                  "<field var='username'><desc>d</desc> <value>a&amp;b</value></field>"
                  "<field var='empty'><value/></field><field var='none'/>"
                  "<field type='fixed'><value>no var</value></field>"
                  "<field var='other'><value xmlns='urn:x'>of another namespace</value></field>"
                  "<field var='many'><value>1</value> <value/><value>3</value></field>"
                  "<field var='username'><value>second</value></field>"));
    CHECK(value_is(form, "FORM_TYPE", "jabber:iq:register"));
    CHECK(value_is(form, "username", "a&b"));
    CHECK(value_is(form, "empty", ""));
    CHECK(value_is(form, "none", NULL));
    CHECK(value_is(form, "absent", NULL));
    CHECK(value_is(form, "other", NULL));
    CHECK(value_is(NULL, "username", NULL));
    const struct node *many = form_field(&stanza, form, "many");
    CHECK(many != NULL && form_field(&stanza, NULL, "many") == NULL);
    CHECK(span_is(form_values(&stanza, many, &at, &arena), "1") && at != NULL);
    CHECK(span_is(form_values(&stanza, many, &at, &arena), "") && at != NULL);
    CHECK(span_is(form_values(&stanza, many, &at, &arena), "3") && at != NULL);
    CHECK(form_values(&stanza, many, &at, &arena).bytes == NULL && at == NULL);
}

static void test_true(void)
{
    CHECK(form_true(SPAN("1")) && form_true(SPAN("true")));
    CHECK(!form_true(SPAN("0")) && !form_true(SPAN("false")) && !form_true(SPAN("True")));
    CHECK(!form_true(SPAN("")) && !form_true(SPAN_NONE));
}

static void test_written(void)
{
    static char bytes[4096];
    struct build build = {bytes, sizeof bytes - 1, 0, false};
    const struct node *at = NULL;
    form_begin(&build, "form", "T<", "Fill \xc3\xa9", "jabber:iq:register");
    form_put(&build, "text-single", "user'name", "A & B", SPAN("<julie\t>"), true);
    form_put(&build, "text-private", "password", NULL, SPAN_NONE, true);
    form_put(&build, "hidden", "empty", NULL, SPAN(""), false);
    form_open(&build, "list-single", "via", "How", true);
    form_add(&build, SPAN("e"));
    form_option(&build, SPAN("E-mail"), SPAN("e"));
    form_option(&build, SPAN_NONE, SPAN("p"));
    form_shut(&build);
    form_end(&build);
    CHECK(!build.full);
    bytes[build.used] = '\0';
    CHECK(strcmp(bytes,
                 "<x xmlns='jabber:x:data' type='form'><title>T&lt;</title>"
                 "<instructions>Fill \xc3\xa9</instructions>"
                 "<field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>"
                 "<field type='text-single' var='user&apos;name' label='A &amp; B'><required/>"
                 "<value>&lt;julie\t&gt;</value></field>"
                 "<field type='text-private' var='password'><required/></field>"
                 "<field type='hidden' var='empty'><value></value></field>"
                 "<field type='list-single' var='via' label='How'><required/><value>e</value>"
                 "<option label='E-mail'><value>e</value></option>"
                 "<option><value>p</value></option></field></x>") == 0);
    const struct node *form = form_of(bytes);
    CHECK(form_type(&stanza, form) == FORM_FORM);
    CHECK(value_is(form, "FORM_TYPE", "jabber:iq:register"));
    CHECK(value_is(form, "user'name", "<julie\t>"));
    CHECK(value_is(form, "password", NULL) && value_is(form, "empty", ""));
    /* The values of the options are not the field's. */
    const struct node *via = form_field(&stanza, form, "via");
    CHECK(via != NULL && span_is(form_values(&stanza, via, &at, &arena), "e"));
    CHECK(form_values(&stanza, via, &at, &arena).bytes == NULL);
}

/* A long value in two runs needs memory to be joined. */
static void test_full(void)
{
    const struct node *form =
        form_of(X("<field var='a'><value>one<b xmlns='urn:x'/>two</value></field>"));
    struct arena none = {arena_bytes, 0, 0, 0};
    CHECK(value_is(form, "a", "onetwo"));
    CHECK(form_value(&stanza, form, "a", &none).bytes == NULL);
}

int main(void)
{
    const struct xml_limits limits = {64, 64, 64, 2000, 1024, 65536};
    CHECK(xml_region_bytes(&limits) <= REGION_BYTES);
    xml = xml_open(region, REGION_BYTES, &limits);
    arena_init(&arena, arena_bytes, ARENA_BYTES);
    test_types();
    test_fields();
    test_true();
    test_written();
    test_full();
    return test_end();
}

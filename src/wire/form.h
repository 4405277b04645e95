/* form.h: data forms (XEP-0004), read and written. Owns nothing. Requirements REG-6, REG-7. */
#ifndef KITH_FORM_H
#define KITH_FORM_H

#include "wire/build.h"
#include "wire/stanza.h"

/* --- reading --- */

enum form_type { FORM_NONE, FORM_FORM, FORM_SUBMIT, FORM_CANCEL, FORM_RESULT, FORM_UNKNOWN };

/* <x xmlns='jabber:x:data'/> inside `parent`, or NULL. */
const struct node *form_find(const struct stanza *stanza, const struct node *parent);
/* A form that is NULL has FORM_NONE; a missing type is FORM_SUBMIT, as old clients have it. */
enum form_type form_type(const struct stanza *stanza, const struct node *form);
const struct node *form_field(const struct stanza *stanza, const struct node *form,
                              const char *var);
/* The first value of a field; bytes NULL: no such field or no <value/> (or no memory). */
struct span form_value(const struct stanza *stanza, const struct node *form, const char *var,
                       struct arena *arena);
/* Values of a field, one after the other. *at NULL: the first. NULL bytes: no more. */
struct span form_values(const struct stanza *stanza, const struct node *field,
                        const struct node **at, struct arena *arena);
/* XEP-0004 3.3: "1" or "true". */
bool form_true(struct span value);

/* --- writing --- */

/* <x type=…>, with the hidden field FORM_TYPE if form_type is not NULL. Title and instructions may
 * be NULL. */
void form_begin(struct build *build, const char *type, const char *title, const char *instructions,
                const char *form_type);
/* One field. type: "text-single", "hidden", …; label NULL: none; value.bytes NULL: no <value/>. */
void form_put(struct build *build, const char *type, const char *var, const char *label,
              struct span value, bool required);
/* XEP-0082; digits. */
void form_put_time(struct build *build, const char *type, const char *var, const char *label,
                   uint64_t utc_us);
void form_put_number(struct build *build, const char *type, const char *var, const char *label,
                     uint64_t number);
/* The same with several values: form_open, form_add, … , form_shut. form_option: an <option/>. */
void form_open(struct build *build, const char *type, const char *var, const char *label,
               bool required);
void form_add(struct build *build, struct span value);
void form_option(struct build *build, struct span label, struct span value);
void form_shut(struct build *build);
void form_end(struct build *build);

#endif

/* mix_lists.h: the nodes `allowed` and `banned` of a channel (XEP-0406 2.2, 2.3). */
#ifndef KITH_MIX_LISTS_H
#define KITH_MIX_LISTS_H

#include "features/mix_request.h"

enum channel_list mix_list_of(const struct mix_request *request);
void mix_list_publish(struct mix_request *request);
void mix_list_retract(struct mix_request *request);
void mix_list_create(struct mix_request *request);
void mix_list_delete(struct mix_request *request);
/* The node `allowed` is to be no more: who follows it is told, and its entries go. The channel's
 * record is the caller's to change. */
enum store_outcome mix_allowed_end(struct mix_request *request);

#endif

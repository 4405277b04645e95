/* subscription_states.c: see subscription_states.h. */
#include "features/subscription_states.h"

/* RFC 6121 Appendix A.2 and A.3; requirements 2.2. */
const struct cell subscription_states[EVENTS][RELATIONS] =
    {
        [OUT_SUBSCRIBE] =
            {
                [NONE] = {NONE_OUT, PASS},
                [NONE_OUT] = {NONE_OUT, PASS},
                [NONE_IN] = {NONE_OUT_IN, PASS},
                [NONE_OUT_IN] = {NONE_OUT_IN, PASS},
                [TO] = {TO, PASS},
                [TO_IN] = {TO_IN, PASS},
                [FROM] = {FROM_OUT, PASS},
                [FROM_OUT] = {FROM_OUT, PASS},
                [BOTH] = {BOTH, PASS},
            },
        [OUT_UNSUBSCRIBE] =
            {
                [NONE] = {NONE, PASS},
                [NONE_OUT] = {NONE, PASS},
                [NONE_IN] = {NONE_IN, PASS},
                [NONE_OUT_IN] = {NONE_IN, PASS},
                [TO] = {NONE, PASS},
                [TO_IN] = {NONE_IN, PASS},
                [FROM] = {FROM, PASS},
                [FROM_OUT] = {FROM, PASS},
                [BOTH] = {FROM, PASS},
            },
        [OUT_SUBSCRIBED] =
            {
                [NONE] = {NONE, APPROVE},
                [NONE_OUT] = {NONE_OUT, APPROVE},
                [NONE_IN] = {FROM, PASS | SHOW},
                [NONE_OUT_IN] = {FROM_OUT, PASS | SHOW},
                [TO] = {TO, APPROVE},
                [TO_IN] = {BOTH, PASS | SHOW},
                [FROM] = {FROM, 0},
                [FROM_OUT] = {FROM_OUT, 0},
                [BOTH] = {BOTH, 0},
            },
        [OUT_UNSUBSCRIBED] =
            {
                [NONE] = {NONE, REVOKE},
                [NONE_OUT] = {NONE_OUT, REVOKE},
                [NONE_IN] = {NONE, PASS | REVOKE},
                [NONE_OUT_IN] = {NONE_OUT, PASS | REVOKE},
                [TO] = {TO, REVOKE},
                [TO_IN] = {TO, PASS | REVOKE},
                [FROM] = {NONE, LEAVE | PASS | REVOKE},
                [FROM_OUT] = {NONE_OUT, LEAVE | PASS | REVOKE},
                [BOTH] = {TO, LEAVE | PASS | REVOKE},
            },
        [IN_SUBSCRIBE] =
            {
                [NONE] = {NONE_IN, PASS | KEEP},
                [NONE_OUT] = {NONE_OUT_IN, PASS | KEEP},
                [NONE_IN] = {NONE_IN, KEEP}, /* SUB-4: the latest is kept */
                [NONE_OUT_IN] = {NONE_OUT_IN, KEEP},
                [TO] = {TO_IN, PASS | KEEP},
                [TO_IN] = {TO_IN, KEEP},
                [FROM] = {FROM, ACCEPT}, /* 3.1.3 rule 2 */
                [FROM_OUT] = {FROM_OUT, ACCEPT},
                [BOTH] = {BOTH, ACCEPT},
            },
        [IN_SUBSCRIBE_APPROVED] = /* SUB-8: the approval is used up */
        {
            [NONE] = {FROM, ACCEPT | REVOKE},
            [NONE_OUT] = {FROM_OUT, ACCEPT | REVOKE},
            [NONE_IN] = {FROM, ACCEPT | REVOKE},
            [NONE_OUT_IN] = {FROM_OUT, ACCEPT | REVOKE},
            [TO] = {BOTH, ACCEPT | REVOKE},
            [TO_IN] = {BOTH, ACCEPT | REVOKE},
            [FROM] = {FROM, ACCEPT | REVOKE},
            [FROM_OUT] = {FROM_OUT, ACCEPT | REVOKE},
            [BOTH] = {BOTH, ACCEPT | REVOKE},
        },
        [IN_UNSUBSCRIBE] =
            {
                [NONE] = {NONE, 0},
                [NONE_OUT] = {NONE_OUT, 0},
                [NONE_IN] = {NONE, PASS | REFUSE}, /* SUB-4b */
                [NONE_OUT_IN] = {NONE_OUT, PASS | REFUSE},
                [TO] = {TO, 0},
                [TO_IN] = {TO, PASS | REFUSE},
                [FROM] = {NONE, PASS | LEAVE | REFUSE},
                [FROM_OUT] = {NONE_OUT, PASS | LEAVE | REFUSE},
                [BOTH] = {TO, PASS | LEAVE | REFUSE},
            },
        [IN_SUBSCRIBED] =
            {
                [NONE] = {NONE, 0},
                [NONE_OUT] = {TO, PASS},
                [NONE_IN] = {NONE_IN, 0},
                [NONE_OUT_IN] = {TO_IN, PASS},
                [TO] = {TO, 0},
                [TO_IN] = {TO_IN, 0},
                [FROM] = {FROM, 0},
                [FROM_OUT] = {BOTH, PASS},
                [BOTH] = {BOTH, 0},
            },
        [IN_UNSUBSCRIBED] =
            {
                [NONE] = {NONE, 0},
                [NONE_OUT] = {NONE, PASS},
                [NONE_IN] = {NONE_IN, 0},
                [NONE_OUT_IN] = {NONE_IN, PASS},
                [TO] = {NONE, PASS},
                [TO_IN] = {NONE_IN, PASS},
                [FROM] = {FROM, 0},
                [FROM_OUT] = {FROM, PASS},
                [BOTH] = {FROM, PASS},
            },
};

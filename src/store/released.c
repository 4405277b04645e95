/* released.c: see released.h. */
#include "store/released.h"

#include "store/ending.h"

#define LOCAL_BYTES_MAX 511

static const struct ending released = {TABLE_RELEASED, "name kept free", RELEASED_MAX};

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= LOCAL_BYTES_MAX;
}

enum store_outcome released_put(struct store *store, struct span local, uint64_t until_us)
{
    return local_fits(local) ? ending_put(store, &released, local, 0, until_us) : STORE_FULL;
}

enum store_outcome released_get(struct store *store, struct span local, uint64_t now_us)
{
    return local_fits(local) ? ending_get(store, &released, local, now_us) : STORE_NONE;
}

enum store_outcome released_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_RELEASED, local) : STORE_NONE;
}

enum store_outcome released_sweep(struct store *store, uint64_t now_us, unsigned max)
{
    return ending_sweep(store, &released, now_us, max);
}

/* copy.c: see copy.h. LMDB copies only the pages in use, with a thread and 2 MB of its own; where
 * these are not to be had it copies the file as it is. */
#include "store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/environment.h"

/* MDB_INCOMPATIBLE: there are pages that nothing leads to, which a compact copy cannot leave out.
 */
static bool compact_refused(int error)
{
    return error == ENOMEM || error == EAGAIN || error == MDB_INCOMPATIBLE;
}

/* Pages at the end of the map that were never written are not copied; a copy has them, so that one
 * which is cut short is known by its length. */
static int tail_add(MDB_env *env, int descriptor)
{
    MDB_envinfo info;
    MDB_stat stat;
    int error = mdb_env_info(env, &info);
    if (error == 0)
        error = mdb_env_stat(env, &stat);
    if (error != 0)
        return error;
    off_t said = ((off_t)info.me_last_pgno + 1) * (off_t)stat.ms_psize;
    off_t len = lseek(descriptor, 0, SEEK_END);
    return len < 0 || (len < said && ftruncate(descriptor, said) != 0) ? errno : 0;
}

static int pages_copy(MDB_env *env, int descriptor)
{
    int error = mdb_env_copyfd2(env, descriptor, MDB_CP_COMPACT);
    if (compact_refused(error)) {
        if (ftruncate(descriptor, 0) != 0 || lseek(descriptor, 0, SEEK_SET) != 0)
            return errno;
        error = mdb_env_copyfd2(env, descriptor, 0);
        if (error == 0)
            error = tail_add(env, descriptor);
    }
    return error == 0 && fsync(descriptor) != 0 ? errno : error;
}

/* What cannot be read back is no copy. */
static bool copy_opens(struct making *making, const char *young)
{
    struct store *copy = opening_rest(young, making->arena, &making->why);
    if (copy == NULL)
        return false;
    store_close(copy);
    return true;
}

static bool fill_copy(struct making *making, const char *young)
{
    struct store *source = making->source;
    int error = 0;
    int descriptor = open(young, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0)
        error = pages_copy(source->env, descriptor);
    if ((descriptor < 0 || close(descriptor) != 0) && error == 0)
        error = errno;
    if (error == 0)
        return copy_opens(making, young);
    making->why = opening_sentence(making->arena, error, young);
    return false;
}

bool copy_backup(struct store *store, const char *file, struct arena *arena, const char **why)
{
    struct making making = {.fill = fill_copy, .source = store, .arena = arena};
    return making_elsewhere(&making, file, why);
}

bool copy_restore(const char *directory, uint64_t map_bytes, const char *file, bool *kept,
                  struct arena *arena, const char **why)
{
    struct making making = {.fill = fill_copy, .keep_old = true, .arena = arena};
    making.store = opening_claim(directory, map_bytes, arena, why);
    if (making.store == NULL)
        return false;
    making.source = opening_rest(file, arena, why);
    bool made = false;
    if (making.source != NULL) {
        *kept = access(making.store->file, F_OK) == 0;
        made = making_run(&making);
        if (!made)
            *why = making.why;
        store_close(making.source);
    }
    store_close(making.store);
    return made;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls as they are: two of them need no library. */
#include "logger/privilege.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct __user_cap_data_struct Sets[_LINUX_CAPABILITY_U32S_3];

static gboolean get(Sets sets)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    memset(sets, 0, sizeof(Sets));
    return syscall(SYS_capget, &header, sets) == 0;
}

static gboolean set(Sets sets)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    return syscall(SYS_capset, &header, sets) == 0;
}

static void drop(guint32 keep)
{
    Sets sets;
    if (!get(sets))
        return;
    /* While CAP_SETPCAP is still there; a service manager has done it already, and given none. */
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (cap != CAP_NET_RAW || keep == 0)
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    keep &= sets[CAP_TO_INDEX(CAP_NET_RAW)].permitted;
    memset(sets, 0, sizeof sets);
    sets[CAP_TO_INDEX(CAP_NET_RAW)].permitted = keep;
    /* Only less than before is asked for: it is always granted. */
    g_return_if_fail(set(sets));
}

void privilege_drop(void)
{
    drop(CAP_TO_MASK(CAP_NET_RAW));
}

void privilege_drop_all(void)
{
    drop(0);
}

static void put(gboolean effective)
{
    Sets sets;
    if (!get(sets))
        return;
    struct __user_cap_data_struct *word = &sets[CAP_TO_INDEX(CAP_NET_RAW)];
    const guint32 bit = CAP_TO_MASK(CAP_NET_RAW);
    word->effective =
        effective ? word->effective | (word->permitted & bit) : word->effective & ~bit;
    g_return_if_fail(set(sets));
}

void privilege_raise(void)
{
    put(TRUE);
}

void privilege_lower(void)
{
    put(FALSE);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes of a row of `evidence`. What can be read is no more than its bytes pay for, and comes
 * back when it is packed again.
 */
#include "analyzer/pass-pack.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_AGAIN = 1000 };

/* Every pass packed alone, without its cells, which only their identities would give. */
static void check_again(PassPacker *packer, PassUnpacker *again, const PassRecord *record)
{
    size_t n;
    pass_packer_begin(packer);
    pass_packer_add(packer, record, NULL, 0);
    const uint8_t *packed = pass_packer_end(packer, &n);
    g_assert_true(pass_unpacker_begin(again, packed, n));
    const PassRecord *got = pass_unpacker_next(again);
    g_assert_nonnull(got);
    g_assert_true(got->drive == record->drive && got->source == record->source &&
                  got->pass == record->pass && got->first_ns == record->first_ns &&
                  got->last_ns == record->last_ns && got->band == record->band);
    g_assert_true(got->n == record->n && got->n_level == record->n_level &&
                  got->n_no_service == record->n_no_service &&
                  got->n_limited == record->n_limited && got->n_missing == record->n_missing &&
                  got->is_backward == record->is_backward);
    g_assert_true(got->levels.n == record->levels.n &&
                  (got->levels.n == 0 || memcmp(got->levels.entry, record->levels.entry,
                                                got->levels.n * sizeof *got->levels.entry) == 0));
    g_assert_null(pass_unpacker_next(again));
    g_assert_null(pass_unpacker_problem(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(PassPacker) packer = pass_packer_new();
    g_autoptr(PassUnpacker) unpacker = pass_unpacker_new();
    g_autoptr(PassUnpacker) again = pass_unpacker_new();
    const PassRecord *record;
    uint64_t n = 0;
    gboolean begun = pass_unpacker_begin(unpacker, data, size);
    g_assert_true(begun == (pass_unpacker_problem(unpacker) == NULL));
    while (begun && (record = pass_unpacker_next(unpacker)) != NULL) {
        g_assert_true(record->cells == NULL || *record->cells != '\0');
        (void)pass_figures(record, 50.0);
        if (n++ < MOST_AGAIN)
            check_again(packer, again, record);
    }
    if (pass_unpacker_problem(unpacker) == NULL)
        g_assert_cmpuint(n, ==, pass_unpacker_count(unpacker));
    if (size > 0 && data[0] == 0)
        g_assert_cmpuint(n, <=, size);
    return 0;
}

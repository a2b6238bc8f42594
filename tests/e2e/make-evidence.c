/* SPDX-License-Identifier: Apache-2.0 */
/* make-evidence DRIVE KEY.pem: what the logger does with a drive that it closed. */
#include "formats/evidence.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EvidenceKey) key = argc == 3 ? evidence_key_open(argv[2], TRUE, &error) : NULL;
    if (key != NULL && evidence_make(argv[1], key, &error))
        return 0;
    (void)fprintf(stderr, "make-evidence: %s\n", error != NULL ? error->message : "DRIVE KEY.pem");
    return 1;
}

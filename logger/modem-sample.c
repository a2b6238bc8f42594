/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/modem-sample.h"

#include "formats/radio.h"

void modem_sample_end(Sample *sample, Rat rat, ServiceState service, const char *plmn)
{
    RECORD_SET(sample, SAMPLE, rat, (int)rat);
    if (service != SERVICE_UNKNOWN)
        RECORD_SET(sample, SAMPLE, service, (int)service);
    if (plmn[0] != '\0')
        RECORD_SET(sample, SAMPLE, plmn, plmn);
    radio_fill_band(sample);
    RefusedCounts refused = {{0}};
    radio_check_sample(sample, &refused);
}

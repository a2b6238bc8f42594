# SPDX-License-Identifier: Apache-2.0
# The Swedish regulator's spot checks of 2013: mean level in squares of 10 m x 10 m, walked. Its
# later limits for 4G and 5G are not public and stand in no profile here.
[profile]
id=pts-2013
title=PTS spot checks 2013 (GSM, UMTS)

[service gsm_voice]
title=GSM voice (level above -99 dBm)
quantity=level
GSM=-99
required=0.5
threshold_source=PTS, how the spot checks of 2013 were measured
required_source=PTS judged the mean level of a square
link=https://www.etn.se/index.php/58019

[service umts]
title=UMTS (RSCP above -112 dBm)
quantity=level
UMTS=-112
required=0.5
threshold_source=PTS, how the spot checks of 2013 were measured
required_source=PTS judged the mean level of a square
link=https://www.etn.se/index.php/58019

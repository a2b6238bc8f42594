# SPDX-License-Identifier: Apache-2.0
[profile]
id=voice
title=Voice and emergency calls

[service emergency]
title=Emergency call possible (any network)
quantity=state
limited=yes
GSM=-104
UMTS=-112
LTE=-120
NR=-120
required=0.5
threshold_source=3GPP TS 36.304, 4.3: limited service allows emergency calls
required_source=chosen by the project

[service voice]
title=Registered in a network
quantity=state
GSM=-104
UMTS=-112
LTE=-120
NR=-120
required=0.5
threshold_source=chosen by the project
required_source=chosen by the project

[service ecall_2g3g]
title=Circuit-switched eCall (GSM or UMTS)
quantity=level
GSM=-99
UMTS=-112
required=0.5
threshold_source=PTS, how the spot checks of 2013 were measured
required_source=PTS judged the mean level of a square
link=https://www.etn.se/index.php/58019

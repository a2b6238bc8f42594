# SPDX-License-Identifier: Apache-2.0
# The profile used when no other is named.
[profile]
id=default
title=Corridor default

[service any_service]
title=Any service at all
quantity=state
# From these levels on, few samples are enough to say that there is service.
GSM=-104
UMTS=-112
LTE=-120
NR=-120
required=0.5
min_samples=1
threshold_source=chosen by the project: registered in a network, the rest is for few samples only
required_source=chosen by the project: service on most of the segment

[service lte_usable]
title=4G/5G usable (RSRP at least -105 dBm)
quantity=level
LTE=-105
NR=-105
required=0.5
threshold_source=chosen by the project: ladder -95 strong, -105 usable, -115 outdoors only
required_source=chosen by the project: the typical level of the segment, as a mean level per square

[service lte_strong]
title=4G/5G strong (RSRP at least -95 dBm)
quantity=level
LTE=-95
NR=-95
required=0.5
threshold_source=chosen by the project: ladder -95 strong, -105 usable, -115 outdoors only
required_source=chosen by the project: the typical level of the segment, as a mean level per square

[service nr]
title=5G (SS-RSRP at least -110 dBm)
quantity=level
NR=-110
required=0.5
threshold_source=chosen by the project
required_source=chosen by the project

[service rtt_100]
title=Round trip at most 100 ms
quantity=rtt
limit=100
required=0.5
threshold_source=Microsoft Teams, network performance targets from client to Microsoft edge
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/prepare-network

[service loss_1]
title=At most 1 % of packets lost
quantity=loss
limit=1
required=0.5
threshold_source=Microsoft Teams, network performance targets: loss in any 15 s
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/prepare-network

[service meeting_ok]
title=Online meeting works
quantity=meeting
grade=yellow
required=0.5
threshold_source=Microsoft Teams targets (green) and Call Quality Dashboard (not poor: yellow)
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/stream-classification-in-call-quality-dashboard

[service down_8]
title=Download at least 8 Mbit/s
quantity=down
limit=8
required=0.5
threshold_source=ARCEP, use threshold for video since 2023
required_source=chosen by the project
link=https://www.arcep.fr

# SPDX-License-Identifier: Apache-2.0
[profile]
id=meeting
title=Online meetings

[service meeting_good]
title=Meeting keeps all targets
quantity=meeting
grade=green
required=0.5
threshold_source=Microsoft Teams, network performance targets from client to Microsoft edge
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/prepare-network

[service meeting_ok]
title=Meeting works (not poor)
quantity=meeting
grade=yellow
required=0.5
threshold_source=Microsoft, Call Quality Dashboard, stream classification
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/stream-classification-in-call-quality-dashboard

[service rtt_100]
title=Round trip at most 100 ms
quantity=rtt
limit=100
required=0.95
threshold_source=Microsoft Teams, network performance targets from client to Microsoft edge
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/prepare-network

[service rtt_500]
title=Round trip at most 500 ms
quantity=rtt
limit=500
required=0.95
threshold_source=Microsoft, Call Quality Dashboard: poor above 500 ms
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/stream-classification-in-call-quality-dashboard

[service loss_1]
title=At most 1 % of packets lost
quantity=loss
limit=1
required=0.95
threshold_source=Microsoft Teams, network performance targets: loss in any 15 s
required_source=chosen by the project
link=https://learn.microsoft.com/microsoftteams/prepare-network

# SPDX-License-Identifier: Apache-2.0
[profile]
id=arcep-2023
title=ARCEP use thresholds since 2023

[service down_3]
title=Web (at least 3 Mbit/s)
quantity=down
limit=3
required=0.5
threshold_source=ARCEP, quality of service survey 2023
required_source=chosen by the project: ARCEP publishes shares of tests, no limit per place
link=https://www.arcep.fr

[service down_8]
title=Video (at least 8 Mbit/s)
quantity=down
limit=8
required=0.5
threshold_source=ARCEP, quality of service survey 2023
required_source=chosen by the project: ARCEP publishes shares of tests, no limit per place
link=https://www.arcep.fr

[service down_30]
title=Professional use (at least 30 Mbit/s)
quantity=down
limit=30
required=0.5
threshold_source=ARCEP, quality of service survey 2023
required_source=chosen by the project: ARCEP publishes shares of tests, no limit per place
link=https://www.arcep.fr

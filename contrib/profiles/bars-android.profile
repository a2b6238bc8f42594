# SPDX-License-Identifier: Apache-2.0
# What the signal bars of many phones show. A label, not evidence: operators change the limits.
[profile]
id=bars-android
title=Signal bars (Android default, LTE)

[service bars_1]
title=At least one bar
quantity=level
LTE=-115
UMTS=-115
required=0.5
threshold_source=Android Open Source Project, CarrierConfigManager and SignalStrength
required_source=chosen by the project

[service bars_2]
title=At least two bars
quantity=level
LTE=-105
UMTS=-105
required=0.5
threshold_source=Android Open Source Project, CarrierConfigManager and SignalStrength
required_source=chosen by the project

[service bars_3]
title=At least three bars
quantity=level
LTE=-95
UMTS=-95
required=0.5
threshold_source=Android Open Source Project, CarrierConfigManager and SignalStrength
required_source=chosen by the project

[service bars_4]
title=Four bars
quantity=level
LTE=-85
UMTS=-85
required=0.5
threshold_source=Android Open Source Project, CarrierConfigManager and SignalStrength
required_source=chosen by the project

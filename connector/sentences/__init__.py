"""The sentences that people read on CRM records and in tasks: values in, text out, in the language of the company.

`catalogue` holds the messages of each language, with plural forms and dates by CLDR; `content` what is known; `attention`, `summary`,
`tasks` and `rule_words` put it into words. Pure: nothing here reads the store, the clock or the settings. May import `connector.model`,
`connector.domain`, `connector.domain.follow_up_rules` and `connector.scoring.scales`.
"""

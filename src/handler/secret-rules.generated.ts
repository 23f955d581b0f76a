/*!
 * By scripts/embed-secret-rules.ts, from config/gitleaks.toml of https://github.com/gitleaks/gitleaks, commit b58d3f102cf3a2c84cb7f923d05c25c9b1aed84b.
 *
 * MIT License. Copyright (c) 2019 Zachary Rice. Permission is hereby granted, free of charge, to any person obtaining a copy of this software
 * and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
 * is furnished to do so, subject to the following conditions: The above copyright notice and this permission notice shall be included in all
 * copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED,
 * INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
 * ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */

/** Words in lower case of which one is in whatever matches, expression and flags. The name of a rule is a comment, which no bundle has. */
export const SECRET_RULES: readonly (readonly [keywords: string, source: string, flags: string])[] = [
  ['a3-', '\\bA3-[A-Z0-9]{6}-(?:(?:[A-Z0-9]{11})|(?:[A-Z0-9]{6}-[A-Z0-9]{5}))-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}', 'g'], // 1password-secret-key
  ['ops_', 'ops_eyJ[a-zA-Z0-9+/]{250,}={0,3}', 'g'], // 1password-service-account-token
  ['p8e-', '\\b(p8e-[a-z0-9]{32})', 'gi'], // adobe-client-secret
  ['age-secret-key-1', 'AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}', 'g'], // age-secret-key
  ['airtable', '\\b(pat[A-Za-z0-9]{14}\\.[a-f0-9]{64})', 'g'], // airtable-personnal-access-token
  ['ltai', '\\b(LTAI[a-z0-9]{20})', 'gi'], // alibaba-access-key-id
  ['sk-ant-admin01', '\\b(sk-ant-admin01-[a-zA-Z0-9_\\-]{93}AA)', 'g'], // anthropic-admin-api-key
  ['sk-ant-api03', '\\b(sk-ant-api03-[a-zA-Z0-9_\\-]{93}AA)', 'g'], // anthropic-api-key
  ['akcp', '\\bAKCp[A-Za-z0-9]{69}', 'g'], // artifactory-api-key
  ['cmvmd', '\\bcmVmd[A-Za-z0-9]{59}', 'g'], // artifactory-reference-token
  ['sc_ ext_ scauth_ authress_', '\\b((?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\\.[a-z0-9]{4,6}\\.(?:acc)[_-][a-z0-9-]{10,32}\\.[a-z0-9+/_=-]{30,120})', 'gi'], // authress-service-client-access-key
  ['a3t akia asia abia acca', '\\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})', 'g'], // aws-access-token
  ['absk', '\\b(ABSK[A-Za-z0-9+/]{109,269}={0,2})', 'g'], // aws-amazon-bedrock-api-key-long-lived
  ['bedrock-api-key-', 'bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t', 'g'], // aws-amazon-bedrock-api-key-short-lived
  ['q~', '(?:^|[\\\\\'"`\\s>=:(,)])([a-zA-Z0-9_~.]{3}\\dQ~[a-zA-Z0-9_~.-]{31,34})(?:$|[\\\\\'"`\\s<),])', 'g'], // azure-ad-client-secret
  ['clojars_', 'CLOJARS_[a-z0-9]{60}', 'gi'], // clojars-api-token
  ['cloudflare v1.0-', '\\b(v1\\.0-[a-f0-9]{24}-[a-f0-9]{146})', 'g'], // cloudflare-origin-ca-key
  ['dapi', '\\b(dapi[a-f0-9]{32}(?:-\\d)?)', 'g'], // databricks-api-token
  ['doo_v1_', '\\b(doo_v1_[a-f0-9]{64})', 'g'], // digitalocean-access-token
  ['dop_v1_', '\\b(dop_v1_[a-f0-9]{64})', 'g'], // digitalocean-pat
  ['dor_v1_', '\\b(dor_v1_[a-f0-9]{64})', 'gi'], // digitalocean-refresh-token
  ['dp.pt.', 'dp\\.pt\\.[a-z0-9]{43}', 'gi'], // doppler-api-token
  ['duffel_', 'duffel_(?:test|live)_[a-z0-9_\\-=]{43}', 'gi'], // duffel-api-token
  ['dt0c01.', 'dt0c01\\.[a-z0-9]{24}\\.[a-z0-9]{64}', 'gi'], // dynatrace-api-token
  ['ezak', '\\bEZAK[a-z0-9]{54}', 'gi'], // easypost-api-token
  ['eztk', '\\bEZTK[a-z0-9]{54}', 'gi'], // easypost-test-api-token
  ['eaam eaac', '\\b(EAA[MC][a-z0-9]{100,})', 'gi'], // facebook-page-access-token
  ['flwseck_test', 'FLWSECK_TEST-[a-h0-9]{12}', 'gi'], // flutterwave-encryption-key
  ['flwpubk_test', 'FLWPUBK_TEST-[a-h0-9]{32}-X', 'gi'], // flutterwave-public-key
  ['flwseck_test', 'FLWSECK_TEST-[a-h0-9]{32}-X', 'gi'], // flutterwave-secret-key
  ['fo1_ fm1 fm2_', '\\b((?:fo1_[\\w-]{43}|fm1[ar]_[a-zA-Z0-9+\\/]{100,}={0,3}|fm2_[a-zA-Z0-9+\\/]{100,}={0,3}))', 'g'], // flyio-access-token
  ['fio-u-', 'fio-u-[a-z0-9\\-_=]{64}', 'gi'], // frameio-api-token
  ['aiza', '\\b(AIza[\\w-]{35})', 'g'], // gcp-api-key
  ['ghu_ ghs_', '(?:ghu|ghs)_[0-9a-zA-Z]{36}', 'g'], // github-app-token
  ['github_pat_', 'github_pat_\\w{82}', 'g'], // github-fine-grained-pat
  ['gho_', 'gho_[0-9a-zA-Z]{36}', 'g'], // github-oauth
  ['ghp_', 'ghp_[0-9a-zA-Z]{36}', 'g'], // github-pat
  ['ghr_', 'ghr_[0-9a-zA-Z]{36}', 'g'], // github-refresh-token
  ['glcbt-', 'glcbt-[0-9a-zA-Z]{1,5}_[0-9a-zA-Z_-]{20}', 'g'], // gitlab-cicd-job-token
  ['gldt-', 'gldt-[0-9a-zA-Z_\\-]{20}', 'g'], // gitlab-deploy-token
  ['glffct-', 'glffct-[0-9a-zA-Z_\\-]{20}', 'g'], // gitlab-feature-flag-client-token
  ['glft-', 'glft-[0-9a-zA-Z_\\-]{20}', 'g'], // gitlab-feed-token
  ['glimt-', 'glimt-[0-9a-zA-Z_\\-]{25}', 'g'], // gitlab-incoming-mail-token
  ['glagent-', 'glagent-[0-9a-zA-Z_\\-]{50}', 'g'], // gitlab-kubernetes-agent-token
  ['gloas-', 'gloas-[0-9a-zA-Z_\\-]{64}', 'g'], // gitlab-oauth-app-secret
  ['glpat-', 'glpat-[\\w-]{20}', 'g'], // gitlab-pat
  ['glpat-', '\\bglpat-[0-9a-zA-Z_-]{27,300}\\.[0-9a-z]{2}[0-9a-z]{7}', 'g'], // gitlab-pat-routable
  ['glptt-', 'glptt-[0-9a-f]{40}', 'g'], // gitlab-ptt
  ['gr1348941', 'GR1348941[\\w-]{20}', 'g'], // gitlab-rrt
  ['glrt-', 'glrt-[0-9a-zA-Z_\\-]{20}', 'g'], // gitlab-runner-authentication-token
  ['glrt-', '\\bglrt-t\\d_[0-9a-zA-Z_\\-]{27,300}\\.[0-9a-z]{2}[0-9a-z]{7}', 'g'], // gitlab-runner-authentication-token-routable
  ['glsoat-', 'glsoat-[0-9a-zA-Z_\\-]{20}', 'g'], // gitlab-scim-token
  ['_gitlab_session=', '_gitlab_session=[0-9a-z]{32}', 'g'], // gitlab-session-cookie
  ['eyjrijoi', '\\b(eyJrIjoi[A-Za-z0-9]{70,400}={0,3})', 'gi'], // grafana-api-key
  ['glc_', '\\b(glc_[A-Za-z0-9+/]{32,400}={0,3})', 'gi'], // grafana-cloud-api-token
  ['glsa_', '\\b(glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})', 'gi'], // grafana-service-account-token
  ['pat. sat.', '(?:pat|sat)\\.[a-zA-Z0-9_-]{22}\\.[a-zA-Z0-9]{24}\\.[a-zA-Z0-9]{20}', 'g'], // harness-api-key
  ['atlasv1', '[a-z0-9]{14}\\.(?:atlasv1)\\.[a-z0-9\\-_=]{60,70}', 'gi'], // hashicorp-tf-api-token
  ['hrku-aa', '\\b((HRKU-AA[0-9a-zA-Z_-]{58}))', 'g'], // heroku-api-key-v2
  ['hf_', '\\b(hf_(?:[a-z]{34}))', 'gi'], // huggingface-access-token
  ['api_org_', '\\b(api_org_(?:[a-z]{34}))', 'gi'], // huggingface-organization-api-token
  ['ico-', '\\b(ico-[a-zA-Z0-9]{32})', 'g'], // infracost-api-token
  ['intra s-s4t2ud- s-s4t2af-', '\\b(s-s4t2(?:ud|af)-[abcdef0123456789]{64})', 'gi'], // intra42-client-secret
  ['ey', '\\b(ey[a-zA-Z0-9]{17,}\\.ey[a-zA-Z0-9\\/\\\\_-]{17,}\\.(?:[a-zA-Z0-9\\/\\\\_-]{10,}={0,2})?)', 'g'], // jwt
  ['lin_api_', 'lin_api_[a-z0-9]{40}', 'gi'], // linear-api-key
  ['_mmk', '\\b([A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)', 'g'], // maxmind-license-key
  ['webhook.office.com webhookb2 incomingwebhook', 'https://[a-z0-9]+\\.webhook\\.office\\.com/webhookb2/[a-z0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}@[a-z0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}/IncomingWebhook/[a-z0-9]{32}/[a-z0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}', 'g'], // microsoft-teams-webhook
  ['ntn_', '\\b(ntn_[0-9]{11}[A-Za-z0-9]{32}[A-Za-z0-9]{3})', 'g'], // notion-api-token
  ['npm_', '\\b(npm_[a-z0-9]{36})', 'gi'], // npm-access-token
  ['api-', '\\b(API-[A-Z0-9]{26})', 'g'], // octopus-deploy-api-key
  ['t3blbkfj', '\\b(sk-(?:proj|svcacct|admin)-(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})T3BlbkFJ(?:[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58})\\b|sk-[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20})', 'g'], // openai-api-key
  ['sha256~', '\\b(sha256~[\\w-]{43})', 'g'], // openshift-user-token
  ['pplx-', '\\b(pplx-[a-zA-Z0-9]{48})', 'g'], // perplexity-api-key
  ['pscale_tkn_', '\\b(pscale_tkn_[\\w=\\.-]{32,64})', 'gi'], // planetscale-api-token
  ['pscale_oauth_', '\\b(pscale_oauth_[\\w=\\.-]{32,64})', 'g'], // planetscale-oauth-token
  ['pscale_pw_', '\\b(pscale_pw_[\\w=\\.-]{32,64})', 'gi'], // planetscale-password
  ['pmak-', '\\b(PMAK-[a-f0-9]{24}\\-[a-f0-9]{34})', 'gi'], // postman-api-token
  ['pnu_', '\\b(pnu_[a-zA-Z0-9]{36})', 'g'], // prefect-api-token
  ['pul-', '\\b(pul-[a-f0-9]{40})', 'g'], // pulumi-api-token
  ['pypi-ageichlwas5vcmc', 'pypi-AgEIcHlwaS5vcmc[\\w-]{50,1000}', 'g'], // pypi-upload-token
  ['rdme_', '\\b(rdme_[a-z0-9]{70})', 'g'], // readme-api-token
  ['rubygems_', '\\b(rubygems_[a-f0-9]{48})', 'g'], // rubygems-api-token
  ['tk-us-', '\\b(tk-us-[\\w-]{48})', 'g'], // scalingo-api-token
  ['sg.', '\\b(SG\\.[a-z0-9=_\\-\\.]{66})', 'gi'], // sendgrid-api-token
  ['xkeysib-', '\\b(xkeysib-[a-f0-9]{64}\\-[a-z0-9]{16})', 'gi'], // sendinblue-api-token
  ['sntrys_eyjpyxqio', '\\bsntrys_eyJpYXQiO[a-zA-Z0-9+/]{10,200}(?:LCJyZWdpb25fdXJs|InJlZ2lvbl91cmwi|cmVnaW9uX3VybCI6)[a-zA-Z0-9+/]{10,200}={0,2}_[a-zA-Z0-9+/]{43}', 'g'], // sentry-org-token
  ['sntryu_', '\\b(sntryu_[a-f0-9]{64})', 'g'], // sentry-user-token
  ['sm_aat', '\\b(sm_aat_[a-zA-Z0-9]{16})', 'g'], // settlemint-application-access-token
  ['sm_pat', '\\b(sm_pat_[a-zA-Z0-9]{16})', 'g'], // settlemint-personal-access-token
  ['sm_sat', '\\b(sm_sat_[a-zA-Z0-9]{16})', 'g'], // settlemint-service-access-token
  ['shippo_', '\\b(shippo_(?:live|test)_[a-fA-F0-9]{40})', 'g'], // shippo-api-token
  ['shpat_', 'shpat_[a-fA-F0-9]{32}', 'g'], // shopify-access-token
  ['shpca_', 'shpca_[a-fA-F0-9]{32}', 'g'], // shopify-custom-access-token
  ['shppa_', 'shppa_[a-fA-F0-9]{32}', 'g'], // shopify-private-app-access-token
  ['shpss_', 'shpss_[a-fA-F0-9]{32}', 'g'], // shopify-shared-secret
  ['xapp', 'xapp-\\d-[A-Z0-9]+-\\d+-[a-z0-9]+', 'gi'], // slack-app-token
  ['xoxb', 'xoxb-[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*', 'g'], // slack-bot-token
  ['xoxe.xoxb- xoxe.xoxp-', 'xoxe.xox[bp]-\\d-[A-Z0-9]{163,166}', 'gi'], // slack-config-access-token
  ['xoxe-', 'xoxe-\\d-[A-Z0-9]{146}', 'gi'], // slack-config-refresh-token
  ['xoxb', 'xoxb-[0-9]{8,14}-[a-zA-Z0-9]{18,26}', 'g'], // slack-legacy-bot-token
  ['xoxo xoxs', 'xox[os]-\\d+-\\d+-\\d+-[a-fA-F\\d]+', 'g'], // slack-legacy-token
  ['xoxa xoxr', 'xox[ar]-(?:\\d-)?[0-9a-zA-Z]{8,48}', 'g'], // slack-legacy-workspace-token
  ['xoxp- xoxe-', 'xox[pe](?:-[0-9]{10,13}){3}-[a-zA-Z0-9-]{28,34}', 'g'], // slack-user-token
  ['hooks.slack.com', '(?:https?://)?hooks.slack.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{43,56}', 'g'], // slack-webhook-url
  ['sq0atp- eaaa', '\\b((?:EAAA|sq0atp-)[\\w-]{22,60})', 'g'], // square-access-token
  ['sk_test sk_live sk_prod rk_test rk_live rk_prod', '\\b((?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99})', 'g'], // stripe-access-token
  ['sk', 'SK[0-9a-fA-F]{32}', 'g'], // twilio-api-key
  ['hvb.', '\\b(hvb\\.[\\w-]{138,300})', 'g'], // vault-batch-token
  ['hvs. s.', '\\b((?:hvs\\.[\\w-]{90,120}|s\\.(?:[a-z0-9]{24})))', 'gi'], // vault-service-token
];

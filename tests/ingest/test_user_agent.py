"""People's browsers and their devices, and bots by name."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.user_agent import DEVICES, LONGEST, UNKNOWN, Agent, describe

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IOS_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
LINUX = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT}"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X)"
PIXEL = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT}"

PEOPLE = [
    # desktop
    (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36", "desktop", "Chrome", "Windows"),
    (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68", "desktop", "Edge", "Windows"),
    (f"{WINDOWS} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0", "desktop", "Opera", "Windows"),
    (f"{WINDOWS} Chrome/124.0.0.0 Safari/537.36 Vivaldi/6.7.3329.35", "desktop", "Vivaldi", "Windows"),
    (f"{WINDOWS} Chrome/122.0.0.0 YaBrowser/24.4.0.0 Safari/537.36", "desktop", "Yandex", "Windows"),
    (f"{WINDOWS} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763", "desktop", "Edge", "Windows"),
    (f"{MAC} {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "desktop", "Chrome", "macOS"),
    (f"{MAC} {IOS_WEBKIT} Version/17.5 Safari/605.1.15", "desktop", "Safari", "macOS"),
    (f"{MAC} {IOS_WEBKIT} Version/17.5 Safari/605.1.15 Ddg/17.5", "desktop", "DuckDuckGo", "macOS"),
    (f"{LINUX} Chrome/126.0.0.0 Safari/537.36", "desktop", "Chrome", "Linux"),
    (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/126.0.0.0 Safari/537.36",
        "desktop",
        "Chrome",
        "Chrome OS",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
        "desktop",
        "Firefox",
        "Windows",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
        "desktop",
        "Firefox",
        "macOS",
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        "desktop",
        "Firefox",
        "Linux",
    ),
    (
        "Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        "desktop",
        "Firefox",
        "Linux",
    ),
    (
        "Mozilla/5.0 (X11; FreeBSD amd64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "desktop",
        "Firefox",
        "FreeBSD",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Firefox/91.0 SeaMonkey/2.53.18",
        "desktop",
        "SeaMonkey",
        "Linux",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "desktop",
        "Internet Explorer",
        "Windows",
    ),
    (
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0)",
        "desktop",
        "Internet Explorer",
        "Windows",
    ),
    (
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; Tablet PC 2.0; .NET CLR 2.0.50727)",
        "desktop",
        "Internet Explorer",
        "Windows",
    ),
    (
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; http://bsalsa.com; .NET CLR 2.0.50727)",
        "desktop",
        "Internet Explorer",
        "Windows",
    ),
    ("Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "desktop", "Opera", "Windows"),
    (
        f"{LINUX} Ubuntu Chromium/32.0.1700.102 Chrome/32.0.1700.102 Safari/537.36",
        "desktop",
        "Chromium",
        "Linux",
    ),
    (
        "Mozilla/5.0 (compatible; Konqueror/4.14; Linux) KHTML/4.14.2 (like Gecko)",
        "desktop",
        "Konqueror",
        "Linux",
    ),
    ("Lynx/2.9.0 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.0.2", "other", "Lynx", ""),
    # iPhone, iPad
    (f"{IPHONE} {IOS_WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1", "mobile", "Safari", "iOS"),
    (f"{IPHONE} {IOS_WEBKIT} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "mobile", "Chrome", "iOS"),
    (f"{IPHONE} {IOS_WEBKIT} FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "mobile", "Firefox", "iOS"),
    (
        f"{IPHONE} {IOS_WEBKIT} Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/605.1.15",
        "mobile",
        "Edge",
        "iOS",
    ),
    (f"{IPHONE} {IOS_WEBKIT} Mobile/15E148", "mobile", "iOS WebView", "iOS"),
    (f"{IPHONE} {IOS_WEBKIT} GSA/319.0.642 Mobile/15E148 Safari/604.1", "mobile", "Google App", "iOS"),
    (
        f"{IPHONE} {IOS_WEBKIT} Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.28.107;FBDV/iPhone15,2]",
        "mobile",
        "Facebook",
        "iOS",
    ),
    (
        f"{IPHONE} {IOS_WEBKIT} Mobile/15E148 Instagram 334.0.4.32.98 (iPhone15,2; iOS 17_5)",
        "mobile",
        "Instagram",
        "iOS",
    ),
    (f"{IPHONE} {IOS_WEBKIT} Mobile/15E148 [Pinterest/iOS]", "mobile", "Pinterest", "iOS"),
    (f"{IPAD} {IOS_WEBKIT} Version/16.6 Mobile/15E148 Safari/604.1", "tablet", "Safari", "iOS"),
    (f"{IPAD} {IOS_WEBKIT} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "tablet", "Chrome", "iOS"),
    # Android
    (f"{PIXEL} Chrome/126.0.0.0 Mobile Safari/537.36", "mobile", "Chrome", "Android"),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36",
        "mobile",
        "Chrome",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/126.0.0.0 Safari/537.36",
        "tablet",
        "Chrome",
        "Android",
    ),
    (f"{PIXEL} Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.2592.56", "mobile", "Edge", "Android"),
    (f"{PIXEL} Chrome/124.0.0.0 Mobile Safari/537.36 OPR/82.0.4342.79", "mobile", "Opera", "Android"),
    (
        f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
        "mobile",
        "Samsung Internet",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 13; SM-X906C) {WEBKIT} Chrome/126.0.0.0 Safari/537.36",
        "tablet",
        "Chrome",
        "Android",
    ),
    ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "mobile", "Firefox", "Android"),
    ("Mozilla/5.0 (Android 13; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0", "tablet", "Firefox", "Android"),
    (
        f"Mozilla/5.0 (Linux; Android 13; CUBOT_X50 Build/TP1A) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36",
        "mobile",
        "Chrome",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 9; CUBOT NOTE S) {WEBKIT} Chrome/91.0.4472.120 Mobile Safari/537.36",
        "mobile",
        "Chrome",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 12; M2101K6G) {WEBKIT} Chrome/99.0.4844.88 Mobile Safari/537.36",
        "mobile",
        "Chrome",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 11; SM-A125F; wv) {WEBKIT} Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36",
        "mobile",
        "Android WebView",
        "Android",
    ),
    (
        "Mozilla/5.0 (Linux; U; Android 4.3; es-es; GT-I9300 Build/JSS15J) AppleWebKit/534.30 "
        "(KHTML, like Gecko) "
        "Version/4.0 Mobile Safari/534.30",
        "mobile",
        "Android Browser",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {WEBKIT} Silk/124.2.1 like Chrome/124.0.6367.60 Safari/537.36",
        "tablet",
        "Silk",
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; U; Android 12; en-US; V2027) {WEBKIT} Version/4.0 Chrome/100.0.4896.58 "
        "UCBrowser/13.5.5.1313 Mobile Safari/537.36",
        "mobile",
        "UC Browser",
        "Android",
    ),
    # other telephones
    (
        "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/34.1244; U; en) Presto/2.8.119 Version/11.10",
        "mobile",
        "Opera Mini",
        "",
    ),
    (
        "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) "
        "AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
        "mobile",
        "Edge",
        "Windows Phone",
    ),
    (
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; "
        "ARM; Touch; NOKIA; Lumia 920)",
        "mobile",
        "Internet Explorer",
        "Windows Phone",
    ),
    (
        "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.35+ (KHTML, like Gecko) Version/10.3.3.2205 Mobile Safari/537.35+",
        "mobile",
        "BlackBerry WebKit",
        "BlackBerry",
    ),
    (
        "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
        "mobile",
        "Firefox",
        "KaiOS",
    ),
    # televisions, consoles, headsets
    (
        f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) {WEBKIT} 76.0.3809.146/6.0 TV Safari/537.36",
        "tv",
        None,
        "Tizen",
    ),
    (
        f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/94.0.4606.128 Safari/537.36 WebAppManager",
        "tv",
        None,
        None,
    ),
    (
        f"Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7633) {WEBKIT} Silk/112.5.1 like "
        "Chrome/112.0.5615.213 Safari/537.36",
        "tv",
        None,
        "Android",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; BRAVIA 4K UR2) {WEBKIT} Chrome/113.0.5672.162 Safari/537.36",
        "tv",
        "Chrome",
        "Android",
    ),
    (
        f"Mozilla/5.0 (X11; Linux armv7l) {WEBKIT} Chrome/126.0.0.0 Safari/537.36 CrKey/1.56.500000",
        "tv",
        None,
        None,
    ),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/13.0 Safari/605.1.15",
        "console",
        None,
        None,
    ),
    (
        f"{WINDOWS[: -len(WEBKIT) - 2]}; Xbox; Xbox Series X) {WEBKIT} Chrome/124.0.0.0 "
        "Safari/537.36 Edge/44.18363.8131",
        "console",
        "Edge",
        None,
    ),
    (
        "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) "
        "NF/6.0.3.15.4 "
        "NintendoBrowser/5.1.0.22474",
        "console",
        None,
        None,
    ),
    (
        f"Mozilla/5.0 (X11; Linux x86_64; Quest 3) {WEBKIT} OculusBrowser/33.3.0 Chrome/126.0.0.0 VR Safari/537.36",
        "other",
        "Oculus Browser",
        None,
    ),
    # apps
    ("MyApp/42 CFNetwork/1496.0.7 Darwin/23.5.0", "mobile", None, "iOS"),
    ("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 6 Build/TQ3A)", "mobile", None, "Android"),
    ("okhttp/4.12.0", "mobile", None, None),
]

CHROME = f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36"
BOTS = [
    # search
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
    (
        f"{PIXEL} Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Googlebot",
    ),
    ("Googlebot-Image/1.0", "Googlebot-Image"),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Bingbot"),
    ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "YandexBot"),
    ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", "Baiduspider"),
    ("DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "DuckDuckBot"),
    ("Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)", "Yahoo! Slurp"),
    (
        f"{MAC} {IOS_WEBKIT} Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
        "Applebot",
    ),
    ("Mozilla/5.0 (compatible; SeznamBot/4.0; +http://napoveda.seznam.cz/seznambot-intro/)", "SeznamBot"),
    ("Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)", "Sogou"),
    (
        "Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 (compatible; "
        "PetalBot;+https://webmaster.petalsearch.com)",
        "PetalBot",
    ),
    ("AdsBot-Google (+http://www.google.com/adsbot.html)", "AdsBot-Google"),
    ("Mediapartners-Google", "Mediapartners-Google"),
    # AI
    (f"Mozilla/5.0 {WEBKIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot)", "GPTBot"),
    (f"Mozilla/5.0 {WEBKIT}; compatible; ChatGPT-User/1.0; +https://openai.com/bot", "ChatGPT-User"),
    (f"Mozilla/5.0 {WEBKIT}; compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot", "OAI-SearchBot"),
    (f"Mozilla/5.0 {WEBKIT}; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ClaudeBot"),
    (
        f"Mozilla/5.0 {WEBKIT}; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
        "PerplexityBot",
    ),
    (
        "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 "
        "(compatible; Bytespider; spider-feedback@bytedance.com)",
        "Bytespider",
    ),
    ("CCBot/2.0 (https://commoncrawl.org/faq/)", "CCBot"),
    (
        "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
        "Meta-ExternalAgent",
    ),
    (
        f"{MAC} {WEBKIT} Chrome/119.0.6045.214 Safari/537.36 (compatible; Amazonbot/0.1; "
        "+https://developer.amazon.com/bot)",
        "Amazonbot",
    ),
    # SEO, archives, scanners
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot"),
    ("Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "SemrushBot"),
    ("Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)", "MJ12bot"),
    ("Mozilla/5.0 (compatible; DotBot/1.2; +https://opensiteexplorer.org/dotbot; help@moz.com)", "DotBot"),
    ("Screaming Frog SEO Spider/20.1", "Screaming Frog"),
    (
        "Mozilla/5.0 (compatible; archive.org_bot +http://www.archive.org/details/archive.org_bot)",
        "archive.org_bot",
    ),
    ("Mozilla/5.0 zgrab/0.x", "zgrab"),
    ("Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)", "Censys"),
    # feed readers
    ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)", "Feedly"),
    (
        "Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 3 subscribers; feed-id=1)",
        "FeedFetcher-Google",
    ),
    ("Tiny Tiny RSS/1.11 (http://tt-rss.org/)", "Tiny Tiny RSS"),
    ("UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/", "UniversalFeedParser"),
    ("Feedbin - 1 subscribers", "Feedbin"),
    ("NetNewsWire (RSS Reader; https://netnewswire.com/)", "NetNewsWire"),
    ("FreshRSS/1.24.1 (Linux; https://freshrss.org)", "FreshRSS"),
    # libraries and tools
    ("curl/8.5.0", "curl"),
    ("Wget/1.21.4", "Wget"),
    ("python-requests/2.32.3", "python-requests"),
    ("Python-urllib/3.12", "Python-urllib"),
    ("Python/3.12 aiohttp/3.9.5", "Python"),
    ("python-httpx/0.27.0", "python-httpx"),
    ("Scrapy/2.11.2 (+https://scrapy.org)", "Scrapy"),
    ("Go-http-client/2.0", "Go-http-client"),
    ("Java/17.0.11", "Java"),
    ("Apache-HttpClient/4.5.14 (Java/11.0.22)", "Apache-HttpClient"),
    ("axios/1.7.2", "axios"),
    ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "node-fetch"),
    ("GuzzleHttp/7", "Guzzle"),
    ("libwww-perl/6.77", "libwww-perl"),
    ("PostmanRuntime/7.39.0", "Postman"),
    ("Chef Client/10.18.2 (ruby-1.9.3-p327; ohai-6.16.0; x86_64-linux; +http://opscode.com)", "Chef"),
    # headless browsers
    (f"{LINUX} HeadlessChrome/126.0.0.0 Safari/537.36", "HeadlessChrome"),
    (
        "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
        "PhantomJS",
    ),
    (f"{CHROME} Chrome-Lighthouse", "Lighthouse"),
    # monitors
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot"),
    ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "Pingdom"),
    (f"{CHROME} StatusCake", "StatusCake"),
    ("ELB-HealthChecker/2.0", "ELB-HealthChecker"),
    ("kube-probe/1.29", "kube-probe"),
    ("check_http/v2.3.3 (monitoring-plugins 2.3.3)", "Nagios"),
    # link previews
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Facebook"),
    ("Twitterbot/1.0", "Twitterbot"),
    ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", "LinkedInBot"),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slackbot"),
    ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Discordbot"),
    ("TelegramBot (like TwitterBot)", "TelegramBot"),
    ("WhatsApp/2.24.11.85 A", "WhatsApp"),
    # in no table
    ("Mozilla/5.0 (compatible; EasouSpider; +http://www.easou.example/search/spider.html)", "EasouSpider"),
    ("LumiBot 2.0", "LumiBot"),
    ("my-little-crawler/0.1", "my-little-crawler"),
    ("Mozilla/5.0 (compatible; SiteExplorer/1.0b; +http://siteexplorer.example/)", "SiteExplorer"),
    ("Superblock-Denim (http://den.example/; support@superblock.example)", "Superblock-Denim"),
]


def test_there_are_enough_of_both() -> None:
    assert min(len(PEOPLE), len(BOTS)) >= 60


@pytest.mark.parametrize(("text", "device", "browser", "os"), PEOPLE)
def test_people(text: str, device: str, browser: str | None, os: str | None) -> None:
    found = describe(text)
    assert (found.bot, found.device) == ("", device)
    assert browser in (None, found.browser)
    assert os in (None, found.os)


@pytest.mark.parametrize(("text", "name"), BOTS)
def test_bots(text: str, name: str) -> None:
    assert describe(text) == Agent("other", "", "", name)


@pytest.mark.parametrize("text", ["", " ", "-"])
def test_an_empty_string_says_nothing(text: str) -> None:
    assert describe(text) == UNKNOWN == Agent("other", "", "", "")


def test_only_the_beginning_of_a_long_string_is_read() -> None:
    assert describe(CHROME + " " * LONGEST + "Googlebot/2.1") == describe(CHROME)


def test_every_token_of_the_table_names_its_bot() -> None:
    text = (files("tallymark.ingest") / "data" / "bots.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    tokens = [row["token"] for row in rows]
    assert len(set(tokens)) == len(tokens)
    assert tokens == [token.lower() for token in tokens]
    for row in rows:
        assert describe(row["token"]).bot == row["name"]
        assert describe(f"{CHROME} {row['token'].upper()}").bot == row["name"]


@given(st.text())
def test_any_text_is_described(text: str) -> None:
    found = describe(text)
    assert found.device in DEVICES
    assert "Other" not in (found.browser, found.os)

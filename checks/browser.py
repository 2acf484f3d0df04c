"""The fake's page in a real browser: `nox -s browser`. Chromium must be installed; playwright drives it."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from typing import Final, Literal

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from sent_async import SentClient
from sent_async.models import PaymentDetails
from sent_async.testing import FakeSent

SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
ARGUMENTS: Final = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.fail("no Chromium on the path; on Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def page(browser: Browser, fake_sent: FakeSent) -> AsyncIterator[Page]:
    """The open page, with the browser's errors and requests."""
    page = await browser.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    url = fake_sent.url
    await page.goto(f"{url}/_fake/")
    await expect(page.locator("#connection")).to_have_text("live")
    yield page
    # The browser itself reports errors while there is no server. The test checks what the page does then.
    assert [complaint for complaint in complaints if "ERR_CONNECTION_REFUSED" not in complaint] == []
    assert {address.removeprefix(url) for address in asked} == {"/_fake/", "/_fake/state"}
    assert all(request.path.startswith("/v3/") for request in fake_sent.requests)


async def test_it_is_live(page: Page, fake_sent: FakeSent, sent: SentClient) -> None:
    """New requests and objects appear by themselves, the newest first. Opened entries stay open."""
    await expect(page.locator("#profiles .count")).to_have_text("1")
    await page.locator("#profiles details").first.click()
    await sent.profiles.create(name="Bonn", short_name="BONN")
    await expect(page.locator("#profiles .main")).to_have_text(["Bonn", "Marketing Team"])
    await expect(page.locator("#profiles details").nth(1)).to_have_attribute("open", "")
    await expect(page.locator("#profiles pre").nth(1)).to_be_visible()
    await expect(page.locator("#requests summary")).to_have_text([re.compile("^201POST /v3/profilescreateProfile · ")])


async def test_what_waits(page: Page, fake_sent: FakeSent) -> None:
    """The page shows faults in the order in which they apply, and limits."""
    fake_sent.fail_next(2, status=503, operation="createTemplate")
    fake_sent.drop_next()
    fake_sent.rate_limit("standard", limit=200)
    await expect(page.locator("#faults summary")).to_have_text(
        ["failcreateTemplate503 · 2 times", "dropany requestonce"]
    )
    await expect(page.locator("#limits summary")).to_have_text(["standard200 in 60 swindow"])
    fake_sent.reset()
    await expect(page.locator("#faults .note")).to_have_text("none")


async def test_markup_is_text(page: Page, fake_sent: FakeSent, sent: SentClient) -> None:
    """No content of a request becomes markup or script of the page."""
    markup = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    await sent.profiles.create(name=markup)
    await sent.templates.list(search=markup)
    await expect(page.locator("#profiles .main").first).to_have_text(markup)
    await page.locator("#profiles details").first.click()
    await page.locator("#requests details").first.click()
    await expect(page.locator("#requests pre").first).to_contain_text("<img src=x")
    assert await page.locator("img").count() == 0
    assert await page.locator("script").count() == 1
    assert await page.title() == "FakeSent"


async def test_secrets_are_masked(page: Page, sent: SentClient) -> None:
    """Neither the key nor card data is in the page, while the rest of the request is."""
    card = PaymentDetails(card_number="4111111111111111", expiry="12/30", cvc="987", zip_code="94107")
    await sent.profiles.create(name="Bonn", payment_details=card)
    await expect(page.locator("#requests pre").first).to_contain_text("94107")
    content = await page.content()
    assert "***" in content
    # With its quotes: three digits alone may be part of an id.
    assert not [secret for secret in ("sk_test_fake", "4111111111111111", "12/30", '"987"') if secret in content]


async def test_a_fake_that_goes_and_comes_back(page: Page, fake_sent: FakeSent) -> None:
    """The page reports that the server is gone, and continues when it is back."""
    port = fake_sent.port
    await fake_sent.close()
    await expect(page.locator("#connection")).to_have_text("not reachable")
    async with FakeSent(port=port, seed=False):
        await expect(page.locator("#connection")).to_have_text("live")
        await expect(page.locator("#profiles .count")).to_have_text("0")


@pytest.mark.parametrize("width", [320, 400, 1400])
async def test_it_fits(page: Page, width: int, sent: SentClient) -> None:
    """Nothing is wider than the window, whatever is open."""
    await sent.profiles.create(name="B" * 200, description="Ours")
    await page.set_viewport_size({"width": width, "height": 800})
    await expect(page.locator("#requests details")).to_have_count(1)
    for opened in await page.locator("summary").all():
        await opened.click()
    assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_light_and_dark(page: Page) -> None:
    """The page follows the system, with text that can be read on it."""
    shades = {}
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        colours = "const style = getComputedStyle(document.body); [style.backgroundColor, style.color]"
        shades[scheme] = [sum(map(int, re.findall(r"\d+", found)[:3])) for found in await page.evaluate(colours)]
    back, text = shades["light"]
    assert back - text > 400
    back, text = shades["dark"]
    assert text - back > 400

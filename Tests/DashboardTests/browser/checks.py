"""Checks of the dashboard in Chromium: python checks.py NAME, or `all`. Exits 1 and says why if one fails."""

import os
import sys
import time
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import browser
from serving import TOKEN, Dashboard

EVENTS_OF_EIGHT_HOURS = 28_800


def until(driver, condition, what, seconds=30):
    WebDriverWait(driver, seconds).until(lambda d: d.execute_script("return " + condition), what)


class Page:
    """The dashboard with figures of a scenario, in a browser."""

    def __init__(self, scenario, size=browser.DESKTOP, dark=False, **serving):
        self.dashboard = Dashboard(scenario, **serving)
        self.driver = browser.chromium(size, dark)
        self.driver.get(self.dashboard.url)
        until(self.driver, "document.title !== 'Berth'", "the first figures")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        self.dashboard.close()

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0]).textContent", selector)

    def click(self, selector):
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def expect_no_console_errors(self):
        errors = browser.console_errors(self.driver)
        assert not errors, errors


def axe():
    import axe_playwright_python
    library = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
    for scenario in ("idle", "load", "down", "large"):
        for size in (browser.DESKTOP, browser.PHONE):
            for dark in (False, True):
                with Page(scenario, size, dark, warm=5) as page:
                    if scenario == "load":
                        page.click("#servers tbody button.name")
                    for opens in ([None] if scenario != "load" else ["server", None]):
                        page.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": library})
                        if opens is None:
                            page.script("document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close())")
                        found = page.driver.execute_async_script(
                            "const done = arguments[arguments.length - 1]; axe.run().then((result) => done(result.violations))")
                        found = [f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes'][:3]]}"
                                 for one in found if one["impact"] in ("serious", "critical", "moderate")]
                        assert not found, (scenario, size, dark, opens, found)
                    page.expect_no_console_errors()


def fits():
    """Nothing is wider than the screen, and no text is cut at its side: with this machine's font, and one wider by a twelfth."""
    for scenario in ("idle", "down", "large"):
        for size in ((375, 812), browser.PHONE, (768, 1024), browser.DESKTOP):
            with Page(scenario, size, warm=5) as page:
                for spacing in ("0", ".045em"):
                    page.script(f"document.body.style.letterSpacing = '{spacing}'")
                    width = page.script("return document.documentElement.scrollWidth")
                    assert width <= size[0], (scenario, size, spacing, width)
                    wide = page.script(
                        "return [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1)"
                        ".map((one) => one.firstElementChild.id + ' ' + one.scrollWidth + ' > ' + one.clientWidth)")
                    assert not wide, (scenario, size, spacing, wide)
                page.expect_no_console_errors()


def paints():
    """200 servers and 500 tools are painted in a second."""
    best = None
    for _ in range(3):
        with Page("large", warm=1) as page:
            until(page.driver, "performance.getEntriesByName('first-contentful-paint').length > 0", "a paint")
            page.script("performance.clearMarks()")
            paint = page.script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
            rows = page.driver.execute_async_script("""
                const done = arguments[arguments.length - 1];
                const began = performance.now();
                figures.upstreams = structuredClone(figures.upstreams);
                byId('all-servers').click();
                byId('all-tools').click();
                requestAnimationFrame(() => requestAnimationFrame(() => done([performance.now() - began,
                    document.querySelectorAll('#servers tbody tr:not(.group)').length, document.querySelectorAll('#tools tbody tr').length])));
            """)
            assert rows[1:] == [200, 500], rows
            best = min(best or [1e9, 1e9], [paint, rows[0]])
    print(f"first paint {best[0]:.0f} ms; all 200 servers and 500 tools shown in {best[1]:.0f} ms")
    assert best[0] < 1000, best


def grows():
    """Eight hours of events leave the page as it was."""
    with Page("down", warm=0, pause=0, limit=EVENTS_OF_EIGHT_HOURS) as page:
        page.script("window.received = 0; onEvent(() => { received += 1; });")

        def measure():
            page.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
            metrics = page.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            named = {one["name"]: one["value"] for one in metrics}
            return named["Nodes"], named["JSHeapUsedSize"], named["JSEventListeners"]

        page.driver.execute_cdp_cmd("Performance.enable", {})
        until(page.driver, "received > 1500", "the first events", 300)
        before = measure()
        until(page.driver, f"received > {EVENTS_OF_EIGHT_HOURS - 500}", "all events", 1500)
        time.sleep(2)
        after = measure()
        print(f"nodes {before[0]:.0f} -> {after[0]:.0f}, heap {before[1] / 1e6:.2f} -> {after[1] / 1e6:.2f} MB, "
              f"listeners {before[2]:.0f} -> {after[2]:.0f}, {page.dashboard.sent} events")
        assert after[0] <= before[0] * 1.1 + 200, (before, after)
        assert after[1] <= before[1] * 1.2 + 1_000_000, (before, after)
        assert after[2] <= before[2] * 1.1 + 50, (before, after)
        page.expect_no_console_errors()


def changes():
    """Draining asks for the token once, then whether it is meant, and says what came of it."""
    with Page("load", warm=3) as page:
        driver = page.driver
        drain = "[aria-label='Drain mcp/mcp-3:3001']"
        page.click(drain)
        assert page.script("return byId('token').open")
        driver.find_element(By.ID, "token-text").send_keys("wrong-token-of-sixteen" + Keys.ENTER)
        until(driver, "byId('confirm').open", "the question")
        page.click("#confirm-yes")
        until(driver, "byId('token').open && byId('token-problem').textContent !== ''", "that the token is wrong")
        assert page.dashboard.posts == []
        driver.find_element(By.ID, "token-text").send_keys(TOKEN + Keys.ENTER)
        until(driver, "byId('confirm').open", "the question again")
        page.click("#confirm-yes")
        until(driver, "byId('toast').textContent.startsWith('Drain')", "what came of it")
        assert page.dashboard.posts == ["/drain?server=mcp%2Fmcp-3%3A3001"], page.dashboard.posts
        until(driver, "document.querySelector(\"[aria-label='Undrain mcp/mcp-3:3001']\") !== null", "the way back")
        page.click("[aria-label='Undrain mcp/mcp-3:3001']")
        assert not page.script("return byId('token').open")
        page.click("#confirm-yes")
        until(driver, "document.querySelector(\"[aria-label='Drain mcp/mcp-3:3001']\") !== null", "that it drains no more")
        assert page.script("return localStorage.length") == 0
        page.click("#unlock")
        assert page.script("return sessionStorage.length") == 0


def shows():
    """What is wrong is said in words, and a session has its journey."""
    with Page("down", warm=3) as page:
        assert page.text("#headline") == "1 server down, 3 alerts", page.text("#headline")
        assert "mcp/mcp-2:3001 is down" in page.text("#concerns")
        assert "Too many calls of an upstream fail" in page.text("#concerns")
        until(page.driver, "byId('announcer').textContent.includes('mcp/mcp-2:3001 is down')", "that it is announced")
        first = page.text("#servers tbody tr:nth-child(2)")
        assert "Down" in first, first
        page.click("#sessions tbody button")
        until(page.driver, "byId('journey-steps').children.length === 20", "the calls of a session")
        page.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        assert not page.script("return byId('journey').open")
        page.click("#tools thead th:nth-child(3) button")
        until(page.driver, "byId('tools').querySelector('th[aria-sort]').textContent.includes('Calls')", "another order")
        calls = "[...byId('tools').querySelectorAll('tbody tr')].map((row) => parseFloat(row.children[2].textContent.replace(',', '')))"
        # The figures go on meanwhile: between two of their updates the rows are in order.
        until(page.driver, f"{calls}.every((count, place, all) => place === 0 || all[place - 1] >= count)", "the most first")
        for name in ("Cursor", "VS Code", "Python", "Claude Code"):
            page.driver.find_element(By.XPATH, f"//button[@role='tab'][text()='{name}']").click()
            assert "https://mcp.example.com/mcp" in page.text("#setup-code"), name
        page.click("#configuration summary")
        until(page.driver, "byId('configuration-text').textContent.includes('[global]')", "the configuration")
        page.expect_no_console_errors()


def loses():
    """A connection that ends is said, and the page goes on when Berth is back."""
    with Page("load", warm=3) as page:
        port = page.dashboard.server_address[1]
        page.dashboard.close()
        until(page.driver, "!byId('lost').hidden", "that there is no word")
        assert page.text("#live span:last-child") == "reconnecting"
        page.dashboard = Dashboard("load", port=port)
        until(page.driver, "byId('lost').hidden && byId('live').dataset.state === 'on'", "the figures again")


def real():
    """The dashboard of a running Berth: its servers, a drain, one that dies, and a restart."""
    from berth import Berth
    berth = Berth()
    driver = browser.chromium()
    path = f"mcp/127.0.0.1:{berth.ports[1]}"
    state = "[...document.querySelectorAll('#servers tbody tr')].find((row) => row.textContent.includes('%s')).textContent"
    try:
        deadline = time.time() + 30
        while True:
            try:
                driver.get(berth.url)
                break
            except WebDriverException:
                assert time.time() < deadline, "Berth does not answer"
                time.sleep(0.2)
        until(driver, "byId('headline').textContent === 'All well' && byId('subline').textContent.startsWith('3 of 3')", "that all is well")
        berth.call('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}')
        until(driver, "figures.traffic.sessions === 1", "the session")
        assert f"http://127.0.0.1:{berth.listen}/mcp" in driver.execute_script("return byId('setup-code').textContent")
        assert berth.path not in driver.page_source and TOKEN not in driver.page_source

        driver.find_element(By.CSS_SELECTOR, f"[aria-label='Drain {path}']").click()
        driver.find_element(By.ID, "token-text").send_keys(TOKEN + Keys.ENTER)
        until(driver, "byId('confirm').open", "the question")
        driver.find_element(By.ID, "confirm-yes").click()
        until(driver, (state % berth.ports[1]) + ".includes('Draining')", "that it drains")
        driver.find_element(By.CSS_SELECTOR, f"[aria-label='Undrain {path}']").click()
        driver.find_element(By.ID, "confirm-yes").click()
        until(driver, (state % berth.ports[1]) + ".includes('Healthy')", "that it drains no more")

        berth.replicas[2].kill()
        until(driver, "byId('headline').textContent === '1 server down'", "the server that died")
        driver.find_element(By.CSS_SELECTOR, "#configuration summary").click()
        until(driver, "byId('configuration-text').textContent.includes('[upstream.mcp]')", "the configuration")
        errors = browser.console_errors(driver)
        assert not errors, errors

        berth.stop_berth()
        until(driver, "!byId('lost').hidden", "that there is no word")
        berth.berth = berth.start("run", berth.path)
        until(driver, "byId('lost').hidden && figures.process.uptime_seconds < 60", "the new process", 60)
    finally:
        driver.quit()
        berth.close()


def reads():
    """A page of another origin, which `cors` lists, and one that it does not."""
    import pages
    pages.run()


CHECKS = {check.__name__: check for check in (shows, changes, fits, axe, paints, loses, real, reads, grows)}

if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    for name in CHECKS if sys.argv[1:] == ["all"] else sys.argv[1:]:
        CHECKS[name]()
        print("ok", name)

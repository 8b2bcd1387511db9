"""Screenshots of the dashboard into a folder: python shots.py FOLDER [SCENARIO...]"""

import sys
import time
from pathlib import Path

from selenium.webdriver.support.ui import WebDriverWait

import browser
from serving import Dashboard


def main(folder, *scenarios):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for scenario in scenarios or ("idle", "load", "down", "large"):
        dashboard = Dashboard(scenario, warm=130)
        for label, size in (("desktop", browser.DESKTOP), ("phone", browser.PHONE)):
            for dark in (False, True):
                driver = browser.chromium(size, dark)
                try:
                    driver.get(dashboard.url)
                    WebDriverWait(driver, 20).until(lambda d: d.execute_script("return document.title != 'Berth'"))
                    time.sleep(2.5)
                    name = f"{folder}/{scenario}-{label}-{'dark' if dark else 'light'}"
                    browser.screenshot(driver, name + ".png")
                    browser.screenshot(driver, name + "-whole.png", whole=True)
                    if scenario == "down":
                        for opened, selector in (("server", "#servers tbody button.name"), ("session", "#sessions tbody button"),
                                                 ("token", "#unlock")):
                            driver.execute_script("document.querySelector(arguments[0]).click()", selector)
                            time.sleep(0.7)
                            browser.screenshot(driver, f"{name}-{opened}.png")
                            driver.execute_script("document.querySelectorAll('dialog[open]').forEach((one) => one.close())")
                    for error in browser.console_errors(driver):
                        print(name, error)
                finally:
                    driver.quit()
        dashboard.close()


main(*sys.argv[1:])

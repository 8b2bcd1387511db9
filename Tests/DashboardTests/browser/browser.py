"""A headless Chromium, driven by Selenium."""

import base64
import os
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DESKTOP = (1440, 900)
PHONE = (390, 844)


def chromium(size=DESKTOP, dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ.get("BERTH_CHROMIUM", "/usr/bin/chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--js-flags=--expose-gc", "--enable-precise-memory-info",
                     f"--user-data-dir={tempfile.mkdtemp(prefix='berth-dashboard-')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    width, height = size
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 2 if width < 500 else 1, "mobile": width < 500})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    return driver


def screenshot(driver, path, whole=False):
    parameters = {"format": "png", "captureBeyondViewport": whole}
    if whole:
        size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        parameters["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    data = driver.execute_cdp_cmd("Page.captureScreenshot", parameters)["data"]
    with open(path, "wb") as file:
        file.write(base64.b64decode(data))


def console_errors(driver):
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

"""The page in a real browser: nothing is fetched, no error is logged, points answer to pointer and keyboard, arms and
axes switch, narrow and wide, light and dark.

Needs chromium, chromedriver and the package selenium; skipped with the reason where one is missing.
"""

import io
import json
import lzma
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from reports import samples, style, sweeps
from reports.build import build
from tests.test_report_toy import write, write_sweep

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")
AXE = Path(__file__).parent / "vendor" / "axe.min.js.xz"
N = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page and its numbers; figures as SVG alone."""
    folder = tmp_path_factory.mktemp("browser")

    def svg(figure, folder, name):
        text = io.StringIO()
        figure.savefig(text, format="svg")
        return text.getvalue()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", svg)
        write(folder / "run", n=N)
        page = build([folder / "run"], folder / "out", resamples=200)
    return page, json.loads((folder / "out" / "numbers.json").read_text())["chapters"][0]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="the package selenium is not installed")
    binary, driver = (next(filter(None, map(shutil.which, names)), None)
                      for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)))
    if not binary or not driver:
        pytest.skip(f"no {'browser (chromium)' if not binary else 'chromedriver'} is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.set_page_load_timeout(120)
    yield found
    found.quit()


def opened(browser, page, width=1200, height=900, scheme="light"):
    """The page in a window of this size and colour scheme, once its chart stands."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height,
                                                                   "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get(page.as_uri())
    WebDriverWait(browser, 60).until(lambda b: points(b))
    return browser


def points(browser):
    return browser.find_elements("css selector", ".front .point")


def settled(browser, count):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 30).until(lambda b: len(points(b)) == count)
    return points(browser)


def picture(browser, element=None):
    return imread(io.BytesIO(element.screenshot_as_png if element else browser.get_screenshot_as_png()))[..., :3]


def done(numbers):
    return [p for p in numbers["points"] if p["status"] == "done" and not p["control"]]


def test_page_loads_from_a_file_without_errors_and_fetches_nothing(browser, made):
    opened(browser, made[0])
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)") == []
    assert len(points(browser)) == len(done(made[1]))


def test_hover_shows_arm_settings_value_interval_n_and_record(browser, made):
    from selenium.webdriver import ActionChains

    opened(browser, made[0])
    known = {p["key"]: p for p in done(made[1])}
    for button in points(browser)[::5]:
        browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
        ActionChains(browser).move_to_element(button).perform()
        tip = browser.find_element("css selector", ".front .tip")
        shown = dict(line.split(": ", 1) for line in tip.text.splitlines()[1:])
        point = known[shown["record"]]
        assert (
            tip.is_displayed()
            and tip.text.splitlines()[0] == point["arm"]
            and shown["n"] == str(N)
            and shown["setting"] == point["setting"]
        )
        told = [float(x) for x in re.findall(r"\d+\.?\d*", shown["spelling"])]
        assert told == pytest.approx([point["spelling"], point["spelling.low"], point["spelling.high"]], rel=1e-4)
        assert float(shown["NFE A (blocks)"].split()[0]) == pytest.approx(point["nfe_a"], rel=1e-4)


def test_points_are_reached_by_keyboard_and_left_by_escape(browser, made):
    from selenium.webdriver import ActionChains, Keys

    opened(browser, made[0])
    browser.execute_script("[...document.querySelectorAll('.front [name=arm]')].at(-1).focus()")

    def press(key):
        ActionChains(browser).send_keys(key).perform()
        return browser.switch_to.active_element

    first = press(Keys.TAB)
    assert (
        first.get_attribute("class").split()[0] == "point"
        and browser.find_element("css selector", ".front .tip").is_displayed()
    )
    told, second = first.get_attribute("aria-label"), press(Keys.ARROW_RIGHT)
    assert second.get_attribute("aria-label") != told and "record" in told and f"n {N}" in told
    assert press(Keys.ARROW_LEFT).get_attribute("aria-label") == told
    press(Keys.ESCAPE)
    assert not browser.find_element("css selector", ".front .tip").is_displayed()


def test_marks_stand_in_the_order_of_their_costs(browser, made):
    opened(browser, made[0])
    places = browser.execute_script("return [...document.querySelectorAll('.front .point')].map((b) => "
                                    "[b.getBoundingClientRect().x, b.getBoundingClientRect().y])")
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    ordered = sorted(done(made[1]), key=lambda p: p["nfe_a"])
    x, y = np.array(places).T
    assert np.corrcoef(np.log([p["nfe_a"] for p in ordered]), x)[0, 1] > 0.9999
    assert np.corrcoef([p["spelling"] for p in ordered], y)[0, 1] < -0.9999


def test_arms_switch_off_and_on_and_the_cost_axis_can_be_chosen(browser, made):
    from selenium.webdriver.support.ui import Select

    opened(browser, made[0])
    whole, ssmd = len(done(made[1])), sum(p["arm"] == "self-speculative" for p in done(made[1]))
    box = next(b for b in browser.find_elements("css selector", ".front [name=arm]")
               if "self-speculative" in b.find_element("xpath", "..").text)
    browser.execute_script("arguments[0].click()", box)
    assert not any(b.get_attribute("aria-label").startswith("self-speculative") for b in settled(browser, whole - ssmd))
    browser.execute_script("arguments[0].click()", box)
    settled(browser, whole)
    cost, metric = (Select(browser.find_element("css selector", f".front [name={name}]"))
                    for name in ("cost", "metric"))
    assert [o.get_attribute("value") for o in cost.options] == ["nfe_a", "nfe_b", "nfe_c", "seconds"]
    cost.select_by_value("seconds")
    metric.select_by_visible_text("judge")
    labels = [b.get_attribute("aria-label") for b in settled(browser, whole)]
    assert all("seconds a sequence " in label and "judge " in label for label in labels)
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(("width", "scheme"), [(380, "light"), (380, "dark"), (1600, "light"), (1600, "dark")])
def test_page_fits_its_window_and_is_not_blank(browser, made, width, scheme):
    opened(browser, made[0], width, 900, scheme)
    inside, outside = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert inside <= outside
    shot = picture(browser)
    assert shot.std() > 0.03 and (shot.mean() < 0.3) == (scheme == "dark")
    chart = browser.find_element("css selector", ".front .chart")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", chart)
    drawn = picture(browser, chart)
    assert drawn.std() > 0.02 and drawn.shape[1] <= width
    boxes = ("return [...document.querySelectorAll(arguments[0])].map((e) => { const r = e.getBoundingClientRect(); "
             "return [r.left, r.top, r.right, r.bottom] })")
    over = browser.execute_script(boxes, ".front .u-over")[0]
    places = [((left + right) / 2, (top + bottom) / 2) for left, top, right,
              bottom in browser.execute_script(boxes, ".front .point")]
    assert all(over[0] <= x <= over[2] and over[1] <= y <= over[3] for x, y in places)
    assert len({tuple(p) for p in places}) == len(places)


@pytest.mark.parametrize(("width", "scheme"), [(380, "light"), (1600, "dark")])
def test_no_serious_violation_of_accessibility(browser, made, width, scheme):
    if not AXE.exists():
        pytest.skip("axe-core is not in tests/vendor")
    opened(browser, made[0], width, 900, scheme)
    assert violations(browser) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawn_molecules_are_read_in_either_scheme(browser, made, monkeypatch, scheme, tmp_path):
    """The page with drawings as a run of molecules has them, valid and not."""
    if not AXE.exists():
        pytest.skip("axe-core is not in tests/vendor")
    svg = '<svg viewBox="0 0 170 130" role="img" aria-label="a molecule"><rect width="9" height="9"/></svg>'
    monkeypatch.setattr(samples, "drawn", lambda *_: [(0, svg, "CCO"), (1, "", "C1CC")])
    monkeypatch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 100 40"></svg>')
    write(tmp_path / "run", n=8, timed=0, troubles=False)
    opened(browser, build([tmp_path / "run"], tmp_path / "out", resamples=50), 1200, 900, scheme)
    assert browser.find_elements("css selector", ".sample figcaption")
    assert violations(browser, ".sample") == []


def violations(browser, where="html"):
    """What axe-core calls moderate, serious or critical in the part of the page that is named."""
    browser.execute_script(lzma.decompress(AXE.read_bytes()).decode())
    browser.set_script_timeout(240)
    found = browser.execute_async_script("const done = arguments[1]; axe.run(arguments[0], { resultTypes: "
                                         "['violations'] }).then((r) => done(r), "
                                         "(e) => done({ error: String(e) }))", where)
    assert "error" not in found, found
    assert where != "html" or len(found["passes"]) > 20
    return [(v["id"], v["impact"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found["violations"]
            if v["impact"] in ("moderate", "serious", "critical")]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A page of two runs, one of them a sweep."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 100 40"></svg>')
        patch.setattr(sweeps, "RESAMPLES", 4)
        write(folder / "run", n=12, timed=0)
        write_sweep(folder / "hunt", n=16)
        return build([folder / "run", folder / "hunt"], folder / "out", resamples=100)


@pytest.mark.parametrize("width", [380, 1600])
def test_page_of_two_runs_has_a_front_for_each_that_switches_alone(browser, two, width):
    opened(browser, two, width)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    inside, outside = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert inside <= outside
    count = "return [...document.querySelectorAll('.front')].map((f) => f.querySelectorAll('.point').length)"
    before = browser.execute_script(count)
    assert len(before) == 3 and all(before)    # the run, the search, its early looks
    browser.execute_script("document.querySelectorAll('.front')[1].querySelector('[name=arm]').click()")
    after = browser.execute_script(count)
    assert after[0] == before[0] and after[1] < before[1] and after[2] == before[2]


@pytest.mark.parametrize("width", [380, 1600])
def test_no_words_of_the_page_lie_over_others(browser, two, width):
    """Boxes of the lines of text of headings, paragraphs, captions and cells, each against those of its neighbours on
    the page.
    """
    opened(browser, two, width)
    lines = browser.execute_script(r"""
        const found = [];
        for (const e of document.querySelectorAll("h1, h2, h3, p, figcaption, td, th, dt, dd, li, legend, label")) {
          if (!e.checkVisibility() || e.closest(".tip, .skip") || e.querySelector("p, li, label")) continue;
          const range = document.createRange(); range.selectNodeContents(e);
          const name = e.tagName + ": " + e.textContent.trim().slice(0, 40);
          for (const r of range.getClientRects())
            if (r.width > 1 && r.height > 1)
              found.push([name, r.left, r.top + scrollY, r.right, r.bottom + scrollY]);
        }
        return found.sort((a, b) => a[2] - b[2])""")
    assert len(lines) > 200
    clashes = []
    for k, (name, left, top, right, bottom) in enumerate(lines):
        for other, x0, y0, x1, y1 in lines[k + 1 :]:
            if y0 > bottom:
                break
            if other != name and min(right, x1) - max(left, x0) > 3 and min(bottom, y1) - max(top, y0) > 6:
                clashes.append((name, other))
    assert not clashes, clashes[:5]

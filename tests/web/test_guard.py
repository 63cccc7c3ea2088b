"""Who may ask: token, Host, Origin; and what no answer gives away."""

from tests.web.conftest import TOKEN


def test_a_request_without_the_token_is_refused(site):
    assert site.ask("GET", "/").status == 401


def test_the_token_in_an_address_becomes_a_cookie_and_leaves_the_address(site):
    answer = site.ask("GET", f"/?text=a+b&token={TOKEN}&tag=x")
    assert (answer.status, answer.headers["location"]) == (303, "/?text=a+b&tag=x")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert TOKEN not in cookie
    assert site.ask("GET", "/", cookie=site.logged_in()).status == 200

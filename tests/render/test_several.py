"""Several destinations: which is meant, how each is called, and what is said where that can't be."""

from __future__ import annotations

import json

import pytest

from recording_storage.render import FORMATS, Destinations, Options, RenderError, render
from recording_storage.render.options import flag
from recording_storage.render.variables import variables
from tests.render import readers
from tests.render.test_api import AZURE, GCS, S3

BOTH = {"calls": S3, "my-meetings": GCS}
DEFAULT = Destinations(BOTH, "calls")
NO_DEFAULT = Destinations(BOTH)
OPTIONS = {"conversation": Options(replica_id="r1"), "curl": Options(replica_id="r1")}
ONE = [name for name, form in FORMATS.items() if not form.several]
SEVERAL = [name for name, form in FORMATS.items() if form.several]


def text(form: str, destinations: Destinations, destination: str | None = None) -> str:
    return render(form, destinations, destination, OPTIONS.get(form, Options()))


def names(destinations: Destinations) -> list[str]:
    return [one.name for one in variables(destinations)]


@pytest.mark.parametrize("form", FORMATS)
def test_the_only_one_is_meant_whatever_it_is_called(form: str) -> None:
    assert text(form, Destinations({"calls": S3})) == text(form, Destinations({"other": S3}))


@pytest.mark.parametrize("form", FORMATS)
def test_a_named_one_is_written_as_if_there_were_no_other(form: str) -> None:
    alone = text(form, Destinations({"x": S3}))
    assert text(form, DEFAULT, "calls") == text(form, NO_DEFAULT, "calls") == alone


@pytest.mark.parametrize("form", ONE)
def test_what_is_of_one_takes_the_default(form: str) -> None:
    assert text(form, DEFAULT) == text(form, DEFAULT, "calls")


@pytest.mark.parametrize("form", ONE)
def test_without_a_default_what_is_of_one_asks_for_a_name(form: str) -> None:
    with pytest.raises(
        RenderError, match=rf"{form} is of one destination.* calls, my-meetings,.*--destination"
    ):
        text(form, NO_DEFAULT)


@pytest.mark.parametrize("form", SEVERAL)
def test_what_holds_several_holds_all(form: str) -> None:
    for destinations in (DEFAULT, NO_DEFAULT):
        assert all(value in text(form, destinations) for one in BOTH.values() for value in one.values())


@pytest.mark.parametrize("form", FORMATS)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(form: str) -> None:
    with pytest.raises(RenderError, match=r'"call", but calls, my-meetings: did you mean "calls"'):
        text(form, DEFAULT, "call")


def test_the_names_of_variables() -> None:
    plain = [
        "RECORDING_STORAGE",
        "RECORDING_STORAGE_PROVIDER",
        "RECORDING_STORAGE_BUCKET_NAME",
        "RECORDING_STORAGE_BUCKET_REGION",
        "RECORDING_STORAGE_ASSUME_ROLE_ARN",
    ]
    calls = [name.replace("STORAGE", "STORAGE_CALLS") for name in plain]
    meetings = [
        "RECORDING_STORAGE_MY_MEETINGS",
        *(f"RECORDING_STORAGE_MY_MEETINGS_{field.upper()}" for field in GCS),
    ]
    assert names(Destinations({"calls": S3})) == plain
    assert names(NO_DEFAULT) == [*calls, *meetings]
    assert names(DEFAULT) == [*plain, *calls, *meetings]


def test_what_an_application_reads_of_the_default_stays_as_others_are_added() -> None:
    before = {one.name: one.value for one in variables(Destinations({"calls": S3}))}
    after = {one.name: one.value for one in variables(DEFAULT)}
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("by_name", "name", "whose"),
    [
        ({"a-b": S3, "a_b": GCS}, "RECORDING_STORAGE_A_B", "all of a-b and for all of a_b"),
        ({"Calls": S3, "calls": S3}, "RECORDING_STORAGE_CALLS", "all of Calls and for all of calls"),
        ({"x": S3, "x-bucket-name": GCS}, "RECORDING_STORAGE_X_BUCKET_NAME", "bucket_name of x and"),
    ],
)
@pytest.mark.parametrize("form", ["env", "github-env", "configmap", "esc"])
def test_two_variables_of_one_name_are_refused(
    form: str, by_name: dict[str, dict[str, str]], name: str, whose: str
) -> None:
    with pytest.raises(RenderError, match=rf"\A{name} would stand for {whose}"):
        text(form, Destinations(by_name))


def test_a_destination_that_is_called_like_a_field_of_the_default() -> None:
    with pytest.raises(
        RenderError, match=r"RECORDING_STORAGE_BUCKET_NAME .* of the default and .* of bucket-name"
    ):
        variables(Destinations({"calls": S3, "bucket-name": GCS}, "calls"))


def test_a_name_without_a_letter_makes_no_variable() -> None:
    with pytest.raises(RenderError, match="日本"):
        variables(Destinations({"日本": S3, "calls": S3}))


def test_esc_refers_to_each_by_its_name() -> None:
    by_name = {"calls": S3, "my-meetings": GCS, "2 b": AZURE, "c.d": S3, "[5]": S3}
    read = readers.esc(text("esc", Destinations(by_name, "2 b")))
    assert read["recording_storages"] == read["pulumiConfig"]["recording_storages"] == by_name
    assert read["recording_storage"] == read["pulumiConfig"]["recording_storage"] == AZURE
    found = read["environmentVariables"]
    assert json.loads(found["RECORDING_STORAGE_MY_MEETINGS"]) == GCS
    assert json.loads(found["RECORDING_STORAGE"]) == json.loads(found["RECORDING_STORAGE_2_B"]) == AZURE
    assert (
        found["RECORDING_STORAGE_C_D_BUCKET_NAME"] == found["RECORDING_STORAGE_5_BUCKET_NAME"] == "acme-calls"
    )


@pytest.mark.parametrize("name", ["fn::open", "Fn::x", "a$b", 'a"b', "a\\b", "a\x85b", "a\nb"])
def test_esc_refuses_names_that_it_would_take_for_something_else(name: str) -> None:
    with pytest.raises(RenderError, match="can't be a key"):
        text("esc", Destinations({"calls": S3, name: GCS}))


def test_terraform_has_both_variables(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("terraform")
    assert readers.terraform(text("tfvars", DEFAULT), folder) == {"one": S3, "several": BOTH}
    assert readers.terraform(text("tfvars", NO_DEFAULT), folder) == {"one": None, "several": BOTH}
    assert readers.python_hcl2(text("tfvars", DEFAULT)) == {
        "recording_storage": S3,
        "recording_storages": BOTH,
    }


def test_terraforms_own_words_are_names_like_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    by_name = {name: {"for": name, "null": "x"} for name in ("for", "null", "true", "in", "each", "var")}
    written = text("tfvars", Destinations(by_name))
    assert readers.terraform(written, tmp_path_factory.mktemp("words"))["several"] == by_name


def test_terraform_would_format_it_so() -> None:
    written = text("tfvars", Destinations({**BOTH, "2 b": AZURE}, "calls"))
    assert readers.run(readers.found("terraform"), "fmt", "-", given=written) == written


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("option", ["replica_id", "persona_id", "callback_url", "name", "namespace"])
def test_an_option_is_taken_or_refused_with_what_takes_it(form: str, option: str) -> None:
    values = {"callback_url": "https://example.com"}
    said = Options(**{"replica_id": OPTIONS[form].replica_id} if form in OPTIONS else {})
    given = Options(**{**said.said(), option: values.get(option, "x")})
    if option in FORMATS[form].options:
        assert values.get(option, "x") in render(form, Destinations({"calls": S3}), None, given)
        return
    takers = ", ".join(name for name, one in FORMATS.items() if option in one.options)
    with pytest.raises(RenderError, match=rf"\A{flag(option)} is for {takers}, and not for {form}"):
        render(form, Destinations({"calls": S3}), None, given)


@pytest.mark.parametrize("option", ["replica_id", "persona_id", "callback_url"])
def test_an_empty_option_is_a_slip(option: str) -> None:
    with pytest.raises(RenderError, match=f"{flag(option)} is empty"):
        render("conversation", Destinations({"calls": S3}), None, Options(**{option: " "}))


def test_an_option_that_isnt_utf_8_is_refused() -> None:
    with pytest.raises(RenderError, match="--replica-id isn't text in UTF-8"):
        render("conversation", Destinations({"calls": S3}), None, Options(replica_id="\udcc3"))


@pytest.mark.parametrize("name", ["Calls", "calls_a", "-a", "a-", "a..b", "a.", "a" * 254, "a/b", "a\n"])
def test_kubernetes_wouldnt_take_the_name(name: str) -> None:
    with pytest.raises(RenderError, match="--name"):
        render("configmap", Destinations({"calls": S3}), None, Options(name=name))


@pytest.mark.parametrize("namespace", ["Calls", "a.b", "-a", "a" * 64])
def test_kubernetes_wouldnt_take_the_namespace(namespace: str) -> None:
    with pytest.raises(RenderError, match="--namespace"):
        render("configmap", Destinations({"calls": S3}), None, Options(namespace=namespace))


def test_a_configmap_has_its_name_and_namespace() -> None:
    options = Options(name="a.b-c", namespace="0123")
    read = readers.yaml(render("configmap", Destinations({"calls": S3}), None, options))
    assert read["metadata"] == {"name": "a.b-c", "namespace": "0123"}

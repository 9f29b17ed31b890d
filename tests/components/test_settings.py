"""A stack's configuration: every fault by key, value, what was expected and how to mend it; all at once."""

from collections.abc import Mapping
from typing import Any

import pytest

from components import naming
from components.faults import ConfigurationError, Fault
from components.s3_settings import S3Names
from components.settings import Judgement, judge, own_keys

S3: dict[str, Any] = {"provider": "s3", "region": "eu-west-1"}
ROLE = "arn:aws:iam::123456789012:role/team/deploy"
SCOPE = naming.Scope("organization", "recording-storage", "acme")


def judged(config: Mapping[str, object]) -> Judgement:
    return judge(config, project=SCOPE.project, stack=SCOPE.stack, organization=SCOPE.organization)


def faults(config: Mapping[str, object]) -> tuple[Fault, ...]:
    with pytest.raises(ConfigurationError) as caught:
        judged(config)
    return caught.value.faults


def calls(**settings: object) -> dict[str, object]:
    return {"destinations": {"calls": {**S3, **settings}}}


def test_ten_lines_are_enough() -> None:
    settings = judged({"destinations": {"calls": S3}}).settings
    one = settings.s3["calls"]
    assert settings.default_name == "calls"
    assert (one.on_destroy, one.retention_days, one.role_path, one.target_account) == (
        "protect",
        None,
        "/",
        None,
    )
    assert one.external_ids(settings.s3_trust) == ("tavus",)
    assert one.names(settings.scope, "calls", "123456789012") == S3Names(
        naming.bucket_name(SCOPE, "calls", "123456789012", "eu-west-1"),
        naming.role_name(SCOPE, "calls", "123456789012", "eu-west-1"),
    )


def test_every_setting_is_taken() -> None:
    everything: dict[str, object] = {
        "region": "eu-west-1",
        "account": "123456789012",
        "deploy_role": ROLE,
        "bucket_name": "acme-calls",
        "role_name": "recordings",
        "role_path": "/recordings/",
        "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
        "permissions_boundary_file": "stacks/boundary.json",
        "on_destroy": "retain",
        "retention_days": 30,
        "external_id": "tavus-acme",
        "additional_external_ids": ["tavus", "tavus-two"],
        "additional_principals": ["012345678901", "arn:aws:iam::123456789012:user/writer"],
        "readers": ["arn:aws:iam::123456789012:role/reader"],
        "existing": False,
        "adopt": False,
        "create_kms_key": True,
        "kms_key_deletion_days": 7,
        "kms_key_arn": None,
        "kms_key_account": None,
    }
    judgement = judged(
        {
            "destinations": {
                "calls": {"provider": "s3", **{k: v for k, v in everything.items() if v is not None}},
                "support": S3,
            },
            "default": "support",
            "tags": {"team": "voice"},
            "trust_profile": {
                "s3": {
                    "account": "210987654321",
                    "session_seconds": 3600,
                    "actions": ["s3:PutObject"],
                    "external_id": "tavus-2027",
                }
            },
        }
    )
    settings = judgement.settings
    one = settings.s3["calls"]
    assert one.model_dump(mode="json") == {"provider": "s3", **everything}
    assert one.external_ids(settings.s3_trust) == ("tavus-acme", "tavus", "tavus-two")
    assert one.names(SCOPE, "calls", "123456789012") == S3Names("acme-calls", "recordings")
    assert settings.default_name == "support"
    assert settings.tags == {"team": "voice"}
    assert settings.s3["support"].own_external_id(settings.s3_trust) == "tavus-2027"
    assert settings.s3_trust.session_seconds == 3600
    assert judgement.warnings == ()


def test_of_several_destinations_none_is_the_default_unless_named() -> None:
    assert judged({"destinations": {"b": S3, "a": S3}}).settings.default_name is None
    assert list(judged({"destinations": {"b": S3, "a": S3}}).settings.destinations) == ["a", "b"]


def test_the_account_is_the_deploy_roles_where_none_is_given() -> None:
    assert judged(calls(deploy_role=ROLE)).settings.s3["calls"].target_account == "123456789012"


REFUSED: list[tuple[str, object, object, str, str, str]] = [
    # setting, refused, taken (its near neighbour), value shown, expected, mend
    ("provider", "s4", "s3", '"s4"', "one of s3", "write provider: s3"),
    ("provider", "S3", "s3", '"S3"', "one of s3", 'did you mean "s3"?'),
    ("region", "eu-west", "eu-west-2", '"eu-west"', "an AWS region, as in eu-west-1", "code, not its name"),
    ("region", "Ireland", "eu-west-1", '"Ireland"', "an AWS region", "code, not its name"),
    (
        "region",
        "cn-north-1",
        "ap-east-1",
        '"cn-north-1"',
        "within its own partition; this China",
        "outside it",
    ),
    ("region", "us-gov-west-1", "us-west-1", '"us-gov-west-1"', "this GovCloud region", "outside it"),
    ("account", 12345678901, "012345678901", "12345678901", "12", 'quote it, as in "012345678901"'),
    ("account", "12345678901", "012345678901", '"12345678901"', "12 digits", "write all 12 digits"),
    ("account", None, "012345678901", "null", "a string", "give it a value, or remove the key"),
    ("deploy_role", "deploy", ROLE, '"deploy"', "role/name", "copy the ARN"),
    ("bucket_name", "Acme", "acme", '"Acme"', "lower-case letters", "lower case"),
    ("bucket_name", True, "true", "true", "a bucket name", "quote it"),
    ("role_name", "a/b", "a.b", '"a/b"', "a role name", "role_path"),
    ("role_path", "team", "/team/", '"team"', "an IAM path", "/recordings/"),
    ("permissions_boundary", ROLE, "arn:aws:iam::aws:policy/B", f'"{ROLE}"', "policy/name", "copy the ARN"),
    (
        "on_destroy",
        "protected",
        "protect",
        '"protected"',
        "protect, retain, delete",
        'did you mean "protect"?',
    ),
    ("on_destroy", False, "delete", "false", "protect, retain, delete", "quote it"),
    ("retention_days", -1, 1, "-1", "from 1 to 36500", "remove the key to keep everything"),
    ("retention_days", 0, 1, "0", "from 1 to 36500", "remove the key to keep everything"),
    ("retention_days", 36501, 36500, "36501", "from 1 to 36500", "remove the key"),
    ("retention_days", True, 1, "true", "a whole number of days", "without quotes"),
    ("retention_days", "30", 30, '"30"', "a whole number of days", "without quotes"),
    ("retention_days", 1.5, 2, "1.5", "a whole number of days", "without quotes"),
    ("external_id", "tavus acme", "tavus-acme", '"tavus acme"', "that STS takes", "remove the others"),
    ("external_id", "t", "tv", '"t"', "2 to 1224 characters", "lengthen"),
    ("additional_external_ids", "acme", ["acme"], '"acme"', "a list of strings", "a hyphen before each"),
    ("additional_principals", None, [], "null", "a list of strings", "remove the key"),
    ("readers", {"a": 1}, [], '{"a": 1}', "a list of strings", "a hyphen before each"),
]


@pytest.mark.parametrize(("setting", "refused", "taken", "value", "expected", "mend"), REFUSED)
def test_a_wrong_setting_is_named_and_its_near_neighbour_taken(
    setting: str, refused: object, taken: object, value: str, expected: str, mend: str
) -> None:
    (fault,) = faults(calls(**{setting: refused}))
    assert (fault.key, fault.value) == (f"destinations.calls.{setting}", value)
    assert expected in fault.expected
    assert mend in fault.mend
    assert judged(calls(**{setting: taken}))


@pytest.mark.parametrize(
    ("setting", "items", "where", "expected", "mend"),
    [
        ("additional_external_ids", ["acme", "ac me"], "[1]", "that STS takes", "remove the others"),
        ("additional_external_ids", ["acme", "acme"], "[1]", "each value once", "it repeats [0]"),
        ("additional_external_ids", ["tavus"], "[0]", "only what is accepted beside", "accepted already"),
        ("additional_principals", ["1234"], "[0]", "a 12-digit account id", "write all 12 digits"),
        ("additional_principals", [123456789012], "[0]", "a string", "quote it"),
        ("additional_principals", ["*"], "[0]", "without wildcards", "every AWS customer"),
        (
            "additional_principals",
            ["arn:aws:iam::123456789012:role/w*"],
            "[0]",
            "without wildcards",
            "each one",
        ),
        ("additional_principals", ["291871421005"], "[0]", "the recording service's account", "already"),
        ("readers", ["arn:aws:iam::123456789012:role/*"], "[0]", "without wildcards", "name each one"),
        ("readers", ["arn:aws:iam::123456789012:user/reader"], "[0]", "an exact ARN", "copy the ARN"),
        ("readers", ["arn:aws-cn:iam::123456789012:role/reader"], "[0]", "in partition aws", "partition aws"),
    ],
)
def test_a_wrong_item_of_a_list_is_named(
    setting: str, items: list[object], where: str, expected: str, mend: str
) -> None:
    (fault,) = faults(calls(**{setting: items}))
    assert fault.key == f"destinations.calls.{setting}{where}"
    assert expected in fault.expected
    assert mend in fault.mend


def test_a_misspelt_key_is_a_fault_anywhere() -> None:
    found = faults(
        {
            "destinations": {"calls": {**S3, "retension_days": 30}},
            "defualt": "calls",
            "trust_profile": {"s3": {"acount": "210987654321"}},
        }
    )
    assert [(fault.key, fault.mend) for fault in found] == [
        ("defualt", 'did you mean "default"?'),
        ("destinations.calls.retension_days", 'did you mean "retention_days"?'),
        ("trust_profile.s3.acount", 'did you mean "account"?'),
    ]


@pytest.mark.parametrize(
    ("config", "value"),
    [
        ({}, "(not set)"),
        ({"destinations": {}}, "{}"),
        ({"destinations": None}, "null"),
        ({"destinations": []}, "[]"),
    ],
)
def test_a_stack_without_destinations_is_refused(config: dict[str, object], value: str) -> None:
    (fault,) = faults(config)
    assert (fault.key, fault.value) == ("destinations", value)
    assert fault.expected == "at least one destination: a mapping of names to their settings"


def test_what_a_destination_must_have_is_named() -> None:
    assert [(one.key, one.value) for one in faults({"destinations": {"calls": {"provider": "s3"}}})] == [
        ("destinations.calls.region", "(not set)")
    ]
    assert [
        (one.key, one.value, one.mend) for one in faults({"destinations": {"calls": {"region": "eu-west-1"}}})
    ] == [("destinations.calls.provider", "(not set)", "write provider: s3")]
    assert [(one.key, one.value) for one in faults({"destinations": {"calls": None}})] == [
        ("destinations.calls", "null")
    ]


@pytest.mark.parametrize(
    ("refused", "taken"),
    [
        ("Calls", "calls"),
        ("1calls", "calls1"),
        ("calls_eu", "calls-eu"),
        ("calls-", "calls"),
        ("c" * 64, "c" * 63),
    ],
)
def test_a_destinations_name_is_a_plain_word(refused: str, taken: str) -> None:
    (fault,) = faults({"destinations": {refused: S3}})
    assert fault.key == f"destinations.{refused}"
    assert fault.expected.startswith("a destination name ")
    assert judged({"destinations": {taken: S3}})


@pytest.mark.parametrize(
    ("default", "value", "mend"),
    [
        ("call", '"call"', 'did you mean "calls"?'),
        ("video", '"video"', "name one"),
        (True, "true", "quote it"),
    ],
)
def test_a_default_names_a_destination(default: object, value: str, mend: str) -> None:
    (fault,) = faults({"destinations": {"calls": S3}, "default": default})
    assert (fault.key, fault.value) == ("default", value)
    assert fault.expected.endswith("the name of a destination: calls")
    assert mend in fault.mend


def test_two_destinations_by_one_bucket_name_are_refused_on_both_keys() -> None:
    long = "calls-" + "x" * 57
    shortened = naming.bucket_name(SCOPE, long, "", "eu-west-1")
    found = faults({"destinations": {long: S3, "other": {**S3, "bucket_name": shortened}}})
    assert [(fault.key, fault.value) for fault in found] == [
        (f"destinations.{long}.bucket_name", f'"{shortened}"'),
        ("destinations.other.bucket_name", f'"{shortened}"'),
    ]
    assert "as they are global; other has it too" in found[0].expected
    assert judged({"destinations": {long: S3, long[:-1] + "y": S3}})


def test_two_roles_by_one_name_are_refused_in_one_account_only() -> None:
    one = {**S3, "role_name": "Writer", "account": "123456789012"}
    two = {**S3, "role_name": "writer"}
    found = faults({"destinations": {"one": one, "two": two}})
    assert [(fault.key, fault.value) for fault in found] == [
        ("destinations.one.role_name", '"Writer"'),
        ("destinations.two.role_name", '"writer"'),
    ]
    elsewhere = {**two, "deploy_role": "arn:aws:iam::210987654321:role/deploy"}
    assert judged({"destinations": {"one": one, "two": elsewhere}})


def test_one_credential_reaches_one_account() -> None:
    one, two = {**S3, "account": "123456789012"}, {**S3, "account": "210987654321"}
    found = faults({"destinations": {"one": one, "two": two}})
    assert [fault.key for fault in found] == ["destinations.one.account", "destinations.two.account"]
    assert "found 123456789012, 210987654321" in found[0].expected
    assert "deploy_role" in found[0].mend
    with_role = {**two, "deploy_role": "arn:aws:iam::210987654321:role/deploy"}
    assert judged({"destinations": {"one": one, "two": with_role, "three": S3}})


def test_a_deploy_role_is_in_the_account_that_is_named() -> None:
    (fault,) = faults(calls(account="210987654321", deploy_role=ROLE))
    assert fault.key == "destinations.calls.deploy_role"
    assert fault.expected == "a role in account 210987654321, as account says; this one is in 123456789012"
    assert judged(calls(account="123456789012", deploy_role=ROLE))


@pytest.mark.parametrize("path", ["/etc/boundary.json", "../boundary.json", ""])
def test_a_boundarys_file_is_inside_the_project(path: str) -> None:
    boundary = "arn:aws:iam::aws:policy/B"
    (fault,) = faults(calls(permissions_boundary=boundary, permissions_boundary_file=path))
    assert fault.key == "destinations.calls.permissions_boundary_file"
    assert judged(calls(permissions_boundary=boundary, permissions_boundary_file="stacks/boundary.json"))


def test_a_boundarys_file_is_of_a_boundary() -> None:
    (fault,) = faults(calls(permissions_boundary_file="stacks/boundary.json"))
    assert fault.key == "destinations.calls.permissions_boundary_file"
    assert "permissions_boundary" in fault.mend


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("settings", "key", "said"),
    [
        ({"create_kms_key": True, "kms_key_arn": KEY}, "create_kms_key", "either"),
        ({"kms_key_deletion_days": 7}, "kms_key_deletion_days", "create_kms_key"),
        ({"create_kms_key": True, "kms_key_deletion_days": 6}, "kms_key_deletion_days", "7 to 30"),
        ({"create_kms_key": "yes"}, "create_kms_key", "true or false"),
        ({"kms_key_arn": KEY.replace("eu-west-1", "us-east-1")}, "kms_key_arn", "a key in eu-west-1"),
        (
            {"kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:alias/recordings"},
            "kms_key_arn",
            "not an alias",
        ),
        ({"kms_key_arn": "alias/recordings"}, "kms_key_arn", "not an alias"),
        ({"kms_key_arn": "1234abcd-12ab-34cd-56ef-1234567890ab"}, "kms_key_arn", "a key's ARN"),
        ({"kms_key_arn": KEY, "account": "210987654321"}, "kms_key_arn", "this one is in 123456789012"),
        (
            {"kms_key_arn": KEY, "kms_key_account": "210987654321"},
            "kms_key_account",
            "the account of kms_key_arn",
        ),
        ({"kms_key_account": "123456789012"}, "kms_key_account", "the account of kms_key_arn"),
        ({"existing": True}, "existing", "bucket_name"),
        (
            {"adopt": True, "bucket_name": "acme-calls", "on_destroy": "delete"},
            "on_destroy",
            "adopt it first",
        ),
        (
            {"adopt": True, "bucket_name": "acme-calls", "create_kms_key": True},
            "create_kms_key",
            "kms_key_arn",
        ),
        ({"adopt": True}, "adopt", "bucket_name"),
        (
            {"existing": True, "bucket_name": "acme-calls", "on_destroy": "protect"},
            "on_destroy",
            "leaves it as it is",
        ),
        (
            {"existing": True, "bucket_name": "acme-calls", "retention_days": 9},
            "retention_days",
            "leaves it as it is",
        ),
        ({"existing": True, "bucket_name": "acme-calls", "readers": [ROLE]}, "readers", "leaves it as it is"),
        (
            {"existing": True, "bucket_name": "acme-calls", "create_kms_key": True},
            "create_kms_key",
            "leaves it",
        ),
        ({"existing": True, "bucket_name": "acme-calls", "adopt": True}, "adopt", "leaves it as it is"),
    ],
)
def test_a_wrong_key_or_bucket_is_named(settings: dict[str, object], key: str, said: str) -> None:
    (fault,) = faults(calls(**settings))
    assert fault.key == f"destinations.calls.{key}"
    assert said in f"{fault.expected} {fault.mend}"


@pytest.mark.parametrize(
    "settings",
    [
        {"create_kms_key": True, "kms_key_deletion_days": 7},
        {"kms_key_arn": KEY},
        {"kms_key_arn": KEY, "account": "123456789012"},
        {"kms_key_arn": KEY, "account": "210987654321", "kms_key_account": "123456789012"},
        {"existing": True, "bucket_name": "acme-calls"},
        {"existing": True, "bucket_name": "acme-calls", "kms_key_arn": KEY},
        {"adopt": True, "bucket_name": "acme-calls"},
        {"adopt": True, "account": "123456789012"},
    ],
)
def test_a_key_or_bucket_that_fits_is_taken(settings: dict[str, object]) -> None:
    assert judged(calls(**settings))


def test_a_permissions_boundary_is_in_the_roles_account() -> None:
    boundary = "arn:aws:iam::210987654321:policy/boundary"
    (fault,) = faults(calls(deploy_role=ROLE, permissions_boundary=boundary))
    assert fault.key == "destinations.calls.permissions_boundary"
    assert fault.expected.startswith("a policy in account 123456789012")
    assert judged(calls(permissions_boundary=boundary))


@pytest.mark.parametrize(
    ("tags", "key", "expected"),
    [
        ({"aws:team": "voice"}, "tags.aws:team", "doesn't begin with aws:"),
        ({"team": 5}, "tags.team", "a string"),
        ({"Team": "a", "team": "b"}, "tags.team", "differ in more than case"),
        ({f"t{n}": "" for n in range(41)}, "tags", "at most 40 tags"),
        (["team"], "tags", "a mapping"),
    ],
)
def test_a_wrong_tag_is_named(tags: object, key: str, expected: str) -> None:
    (fault,) = faults({"destinations": {"calls": S3}, "tags": tags})
    assert fault.key == key
    assert expected in fault.expected
    assert judged({"destinations": {"calls": S3}, "tags": {f"t{n}": "" for n in range(40)}})


@pytest.mark.parametrize(
    ("profile", "key", "expected"),
    [
        ({"s3": {"account": 210987654321}}, "s3.account", "a string"),
        ({"s3": {"session_seconds": 3599}}, "s3.session_seconds", "from 3600 to 43200"),
        ({"s3": {"session_seconds": 43201}}, "s3.session_seconds", "from 3600 to 43200"),
        ({"s3": {"actions": ["s3:*"]}}, "s3.actions[0]", "no wildcards"),
        ({"s3": {"actions": []}}, "s3.actions", "at least 1"),
        ({"s3": {"external_id": "t"}}, "s3.external_id", "2 to 1224"),
        ({"s3": None}, "s3", "a mapping"),
        ({"s4": {}}, "s4", "one of the keys s3"),
    ],
)
def test_a_wrong_override_of_the_trust_profile_is_named(profile: object, key: str, expected: str) -> None:
    (fault,) = faults({"destinations": {"calls": S3}, "trust_profile": profile})
    assert fault.key == f"trust_profile.{key}"
    assert expected in fault.expected


def test_what_is_a_matter_of_a_growing_list_is_a_warning() -> None:
    warnings = judged(
        {
            "destinations": {"calls": {**S3, "region": "eu-wset-1", "bucket_name": "acme.calls"}},
            "trust_profile": {"s3": {"actions": ["s3:PutObject", "s3:PutObjekt"]}},
        }
    ).warnings
    assert [(one.key, one.mend) for one in warnings] == [
        ("destinations.calls.region", 'did you mean "eu-west-1"?'),
        ("destinations.calls.bucket_name", "write hyphens for the dots"),
        ("trust_profile.s3.actions[1]", 'did you mean "s3:PutObject"?'),
    ]


def test_all_faults_come_at_once_those_between_settings_too() -> None:
    found = faults(
        {
            "destinations": {
                "calls": {**S3, "region": "eu-west", "account": "210987654321", "deploy_role": ROLE},
                "video": {"provider": "oss", "region": "x"},
                "voice": {**S3, "readers": "me", "bucket_name": "same", "retention_days": -1},
                "zoom": {**S3, "bucket_name": "same"},
            },
            "default": "audio",
            "tags": {"team": True},
            "trust_profile": {"s3": {"account": "1"}},
            "region": "eu-west-1",
        }
    )
    assert [fault.key for fault in found] == [
        "region",
        "destinations.calls.region",
        "destinations.video.provider",
        "destinations.voice.retention_days",
        "destinations.voice.readers",
        "default",
        "tags.team",
        "trust_profile.s3.account",
        "destinations.calls.deploy_role",
        "destinations.voice.bucket_name",
        "destinations.zoom.bucket_name",
    ]


def test_an_error_reads_as_a_whole() -> None:
    with pytest.raises(ConfigurationError) as caught:
        judged({"destinations": {"calls": {"provider": "s3", "region": "eu-west"}}, "default": "call"})
    assert str(caught.value) == (
        "2 faults in the configuration; nothing was made.\n"
        '  recording-storage:destinations.calls.region = "eu-west"\n'
        "    expected  an AWS region, as in eu-west-1\n"
        "    mend      write the region's code, not its name\n"
        '  recording-storage:default = "call"\n'
        "    expected  the name of a destination: calls\n"
        '    mend      did you mean "calls"?'
    )
    assert caught.value.as_dict() == {
        "namespace": "recording-storage",
        "faults": [fault.as_dict() for fault in caught.value.faults],
    }


def test_a_long_value_is_shortened() -> None:
    (fault,) = faults(calls(bucket_name="x" * 5000))
    assert len(fault.value) < 100


def test_only_the_projects_own_keys_are_its_configuration() -> None:
    config = {"acme:destinations": 1, "aws:region": 2, "pulumi:tags": 3, "platform:default": 4}
    assert own_keys(config, "acme") == {"destinations": 1}


@pytest.mark.parametrize(
    ("config", "astray"),
    [
        ({"voice:destinations": 1, "voice:tags": 2}, ["destinations", "tags"]),
        ({"acme:destinations": 1, "recording-storage:default": 2}, ["default"]),
        ({"recording-storage:destinations": 1, "aws:region": 2}, ["destinations"]),
    ],
)
def test_keys_of_another_project_are_no_silent_loss(config: dict[str, object], astray: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        own_keys(config, "acme")
    assert [fault.key for fault in caught.value.faults] == astray
    assert caught.value.namespace == "acme"


def test_a_key_that_is_set_here_may_be_set_for_another_project_too() -> None:
    config = {"acme:destinations": 1, "recording-storage:destinations": 2}
    assert own_keys(config, "acme") == {"destinations": 1}


def test_a_key_of_another_project_is_told_how_to_be_the_projects_own() -> None:
    with pytest.raises(ConfigurationError) as caught:
        own_keys({"recording-storage:destinations": 1}, "acme")
    (fault,) = caught.value.faults
    assert fault.value == "(not set)"
    assert fault.expected == (
        "a key of the project acme; recording-storage:destinations is written for the project recording-storage"
    )
    assert fault.mend.startswith("write destinations alone")

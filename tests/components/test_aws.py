"""AWS's own shapes: for each thing that is refused, a near neighbour that is taken."""

import pytest

from components import aws


@pytest.mark.parametrize(
    ("refused", "rule", "taken"),
    [
        ("ab", "3 to 63 characters; it has 2", "abc"),
        ("a" * 64, "3 to 63 characters; it has 64", "a" * 63),
        ("Acme-calls", "lower-case letters, digits, dots and hyphens only", "acme-calls"),
        ("acme_calls", "lower-case letters, digits, dots and hyphens only", "acme.calls"),
        ("acmé-calls", "lower-case letters, digits, dots and hyphens only", "acme-calls1"),
        ("acme-calls\n", "lower-case letters, digits, dots and hyphens only", "acme-calls"),
        ("-acme", "a letter or a digit at the beginning and at the end", "1-acme"),
        ("acme-", "a letter or a digit at the beginning and at the end", "acme-1"),
        (".acme", "a letter or a digit at the beginning and at the end", "a.acme"),
        ("acme..calls", "no two adjacent dots", "acme.calls"),
        ("192.168.5.4", "a name that isn't formatted as an IP address", "192.168.5.4a"),
        ("xn--acme", "no name that begins with xn--, which S3 reserves", "xn-acme"),
        ("sthree-acme", "no name that begins with sthree-, which S3 reserves", "sthreeacme"),
        ("amzn-s3-demo-acme", "no name that begins with amzn-s3-demo-, which S3 reserves", "amzn-s3-acme"),
        ("acme-s3alias", "no name that ends with -s3alias, which S3 reserves", "acmes3alias"),
        ("acme--ol-s3", "no name that ends with --ol-s3, which S3 reserves", "acme-ol-s3"),
        ("acme.mrap", "no name that ends with .mrap, which S3 reserves", "acme-mrap"),
        ("acme--x-s3", "no name that ends with --x-s3, which S3 reserves", "acme-x-s3"),
        ("acme--table-s3", "no name that ends with --table-s3, which S3 reserves", "acme-table-s3"),
        ("acme-an", "no name that ends with -an, which S3 reserves", "acme-and"),
    ],
)
def test_a_bucket_name_keeps_every_rule_of_s3(refused: str, rule: str, taken: str) -> None:
    assert rule in [breach.expected for breach in aws.bucket_name_breaches(refused)]
    assert aws.bucket_name_breaches(taken) == ()


def test_all_rules_that_a_bucket_name_breaks_are_named() -> None:
    assert len(aws.bucket_name_breaches("xn--A..b-")) == 4


def test_dots_in_a_bucket_name_are_noted() -> None:
    (note,) = aws.bucket_name_notes("acme.calls")
    assert "wildcard certificate" in note.expected
    assert aws.bucket_name_notes("acme-calls") == ()


@pytest.mark.parametrize(
    "region", ["Frankfurt", "eu-west", "eu_west_1", "EU-WEST-1", "eu-west-1a", "", "eu-west-1\n"]
)
def test_what_is_no_region_is_refused(region: str) -> None:
    (breach,) = aws.region_breaches(region)
    assert breach.expected == "an AWS region, as in eu-west-1"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_of_another_partition_is_refused_with_the_reason(region: str, partition: str) -> None:
    (breach,) = aws.region_breaches(region)
    assert "a role can be assumed only within its own partition" in breach.expected
    assert breach.expected.endswith(partition)


def test_a_known_region_is_taken_and_an_unknown_one_noted() -> None:
    assert aws.region_breaches("eu-west-1") == aws.region_notes("eu-west-1") == ()
    assert aws.region_breaches("eu-wset-1") == ()
    (note,) = aws.region_notes("eu-wset-1")
    assert note.mend == 'did you mean "eu-west-1"?'


def test_the_list_of_regions_is_as_new_as_botocore() -> None:
    session = pytest.importorskip("botocore.session")
    assert set(session.get_session().get_available_regions("s3")) <= set(aws.REGIONS)


@pytest.mark.parametrize(
    "account", ["12345678901", "1234567890123", "1234-5678-9012", "12345678901a", "", "\uff11" * 12]
)
def test_an_account_id_has_twelve_digits(account: str) -> None:
    (breach,) = aws.account_id_breaches(account)
    assert "12 digits" in breach.expected
    assert aws.account_id_breaches("012345678901") == ()


@pytest.mark.parametrize("external_id", ["tavus acct", "tavus#1", "tävus", "tavus\n", "a*"])
def test_an_external_id_keeps_to_the_alphabet_of_sts(external_id: str) -> None:
    (breach,) = aws.external_id_breaches(external_id)
    assert "letters and digits of ASCII, and _ + = , . @ : / -" in breach.expected
    assert aws.external_id_breaches("Tavus_acct+=,.@:/-1") == ()


@pytest.mark.parametrize(("refused", "taken"), [("a", "ab"), ("a" * 1225, "a" * 1224)])
def test_an_external_id_has_2_to_1224_characters(refused: str, taken: str) -> None:
    (breach,) = aws.external_id_breaches(refused)
    assert breach.expected == f"2 to 1224 characters, as STS takes; it has {len(refused)}"
    assert aws.external_id_breaches(taken) == ()


@pytest.mark.parametrize(
    ("refused", "word"),
    [
        ("12345678901", "12-digit account id"),
        ("*", "without wildcards"),
        ("arn:aws:iam::123456789012:role/*", "without wildcards"),
        ("arn:aws:iam::123456789012:root", "an exact ARN"),
        ("arn:aws:sts::123456789012:assumed-role/writer/session", "an exact ARN"),
        ("arn:aws:iam::12345678901:role/writer", "an exact ARN"),
        ("arn:aws:iam::aws:role/writer", "an exact ARN"),
        ("arn:aws-cn:iam::123456789012:role/writer", "an ARN in partition aws"),
        ("arn:aws:iam::123456789012:policy/writer", "an exact ARN"),
    ],
)
def test_a_principal_is_an_account_or_an_exact_arn(refused: str, word: str) -> None:
    (breach,) = aws.principal_breaches(refused)
    assert word in breach.expected


@pytest.mark.parametrize(
    "taken",
    ["012345678901", "arn:aws:iam::123456789012:role/team/writer", "arn:aws:iam::123456789012:user/writer"],
)
def test_an_account_a_role_and_a_user_are_principals(taken: str) -> None:
    assert aws.principal_breaches(taken) == ()


def test_a_policy_of_awss_own_is_a_policy() -> None:
    assert aws.policy_arn_breaches("arn:aws:iam::aws:policy/PowerUserAccess") == ()
    assert aws.role_arn_breaches("arn:aws:iam::aws:policy/PowerUserAccess") != ()


def test_the_parts_of_an_arn() -> None:
    assert aws.iam_arn("arn:aws:iam::123456789012:role/team/voice/writer") == aws.IamArn(
        "aws", "123456789012", "role", "/team/voice/", "writer"
    )


@pytest.mark.parametrize(
    ("refused", "taken"),
    [("team", "/"), ("/team", "/team/"), ("/a b/", "/a-b/"), (f"/{'a' * 511}/", f"/{'a' * 510}/")],
)
def test_a_role_path_begins_and_ends_with_a_slash(refused: str, taken: str) -> None:
    assert aws.role_path_breaches(refused)
    assert aws.role_path_breaches(taken) == ()


@pytest.mark.parametrize(
    ("refused", "taken"), [("team/writer", "team.writer"), ("a" * 65, "a" * 64), ("", "a")]
)
def test_a_role_name_keeps_to_iams_alphabet(refused: str, taken: str) -> None:
    assert aws.role_name_breaches(refused)
    assert aws.role_name_breaches(taken) == ()


@pytest.mark.parametrize("action", ["s3:*", "s3:Get*", "PutObject", "iam:PassRole", "s3:putObject"])
def test_an_action_is_named_without_wildcards(action: str) -> None:
    assert aws.s3_action_breaches(action)
    assert aws.s3_action_breaches("s3:PutObject") == aws.s3_action_notes("s3:PutObject") == ()


@pytest.mark.parametrize(
    ("refused", "word", "taken"),
    [
        (("AWS:team", "voice"), "doesn't begin with aws:", ("awsteam", "voice")),
        (("k" * 129, ""), "1 to 128 characters", ("k" * 128, "")),
        (("team", "v" * 257), "at most 256 characters", ("team", "v" * 256)),
        (("team", "voice & video"), "found &", ("team", "voice + vidéo")),
    ],
)
def test_a_tag_is_what_s3_and_iam_both_take(
    refused: tuple[str, str], word: str, taken: tuple[str, str]
) -> None:
    (breach,) = aws.tag_breaches(*refused)
    assert word in breach.expected
    assert aws.tag_breaches(*taken) == ()

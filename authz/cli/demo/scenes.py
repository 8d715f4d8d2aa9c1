"""Who plays which part in the demo school, and every question with its answer.

Every rule of 2.5 permits at least once and nearly permits at least once; every refusal of
2.6 strikes at least once. So the screens, the tutorial and the tests ask the same things.
"""

from collections.abc import Mapping
from types import MappingProxyType

from authz.cli.demo import scenes_refusals, scenes_school, scenes_work
from authz.cli.demo.scene import Book, Scene

CAST: Mapping[str, str] = MappingProxyType(
    {
        "child": "student-mali",
        "father": "parent-somchai",
        "mother": "parent-wanida",
        "grandmother": "relative-yai",
        "guardian": "guardian-ratree",
        "homeroom_teacher": "teacher-somsri",
        "mathematics_teacher": "teacher-danai",
        "last_years_teacher": "teacher-preecha",
        "teacher_and_mother": "teacher-kanya",
        "aide": "aide-noi",
        "proctor": "aide-jira",
        "principal": "admin-prapai",
        "site_administrator": "admin-it",
        "district_administrator": "admin-area",
        "elevated_principal": "admin-chai",
        "other_principal": "admin-suri",
        "custody_restricted_father": "parent-anan",
        "child_in_custody_case": "student-ploy",
        "father_whose_guardianship_ended": "parent-decha",
        "emancipated": "student-krit",
        "twenty_today": "student-nat",
        "twenty_tomorrow": "student-fah",
        "unknown_birth_date": "student-mek",
        "suspended": "student-ice",
        "deregistered": "student-arun",
        "cancelled": "student-lek",
        "long_unused": "student-nok",
        "objecting_and_withdrawn": "student-dao",
        "consenting": "student-ton",
        "restricted": "student-bua",
        "erasure_approved": "student-phu",
        "processor": "svc-learnlab",
        "processor_onward": "svc-songsuk",
        "processor_abroad_with_safeguards": "svc-harbour",
        "processor_abroad_without": "svc-faraway",
        "authority": "svc-eef",
        "court": "svc-court",
        "support_agent": "support-aom",
        "order_clerk": "clerk-bank",
        "mentor": "mentor-pim",
        "analyst": "analyst-wit",
        "analyst_whose_grant_ended": "analyst-june",
        "dpo": "dpo-siri",
        "platform_admin": "ops-krung",
    }
)

CHAPTERS = (
    scenes_school.themselves,
    scenes_school.parents,
    scenes_school.schools,
    scenes_work.outside,
    scenes_work.staff,
    scenes_refusals.about_people,
    scenes_refusals.about_purposes,
    scenes_refusals.about_words,
)


def scenes() -> tuple[Scene, ...]:
    """All scenes, in the order of page 2; the same whatever the day and the seed."""
    book = Book()
    for chapter in CHAPTERS:
        chapter(book)
    return tuple(book.scenes)

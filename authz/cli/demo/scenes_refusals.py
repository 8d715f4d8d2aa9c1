"""Scenes of the refusals of 2.6, and of the reasons that are no rule's."""

from authz.cli.demo.scene import Book, ask


def _struck(book: Book, rule: str, en: str, th: str, request: dict[str, object]) -> None:
    book.refuse(rule, rule, en, th, request)


def about_people(book: Book) -> None:
    """Who asks, about whom, and what stands between the two."""
    for who, en, th in (
        ("student-ice", "A suspended student", "นักเรียนที่ถูกระงับบัญชี"),
        ("student-arun", "A student who has left", "นักเรียนที่พ้นสภาพแล้ว"),
        ("student-nobody", "A subject nobody knows", "ผู้ขอที่ไม่มีในระบบ"),
    ):
        request = ask(who, "read", "affiliation", "student-mali")
        _struck(book, "inactive-subject", en, th, request)
    _struck(
        book,
        "unknown-person",
        "A person nobody knows",
        "ไม่มีบุคคลนี้ในระบบ",
        ask("admin-prapai", "read", "identity", "student-nobody"),
    )
    _struck(
        book,
        "secret",
        "Nobody reads a password, not even one's own",
        "ไม่มีใครดูรหัสผ่านได้ แม้ของตนเอง",
        ask("student-mali", "read", "credentials", "student-mali"),
    )
    _struck(
        book,
        "custody",
        "A father under a custody restriction",
        "พ่อที่ศาลจำกัดอำนาจปกครอง",
        ask("parent-anan", "read", "assessment_result", "student-ploy"),
    )
    book.permit(
        "parent-read",
        "The mother of the same child",
        "แม่ของเด็กคนเดียวกัน",
        ask("parent-suda", "read", "assessment_result", "student-ploy"),
    )
    _struck(
        book,
        "escalation",
        "A site administrator does not reset the principal's password",
        "ผู้ดูแลระดับโรงเรียนตั้งรหัสผ่านใหม่ให้ผู้อำนวยการไม่ได้",
        ask("admin-it", "update", "credentials", "admin-prapai", mfa=True),
    )
    book.refuse(
        "school-maintain",
        "escalation",
        "A principal does not change a fellow administrator's address",
        "ผู้อำนวยการแก้ข้อมูลติดต่อของผู้ดูแลอีกคนไม่ได้",
        ask("admin-prapai", "update", "contact", "admin-it"),
    )


def about_purposes(book: Book) -> None:
    """What a person has said, what time has ended, and what a purpose needs."""
    improvement, marketing = {"purpose": "improvement"}, {"purpose": "marketing"}
    for en, th, request in (
        (
            "An account cancelled two years ago (N-12)",
            "ยกเลิกบัญชีไปแล้วสองปี",
            ask("student-lek", "read", "assessment_result", "student-lek"),
        ),
        (
            "An order received eleven years ago",
            "คำสั่งซื้อที่รับของแล้วสิบเอ็ดปี",
            ask(
                "parent-suda",
                "read",
                "purchase",
                "parent-suda",
                purpose="commerce",
                record="purchase-7",
            ),
        ),
        (
            "Improvement, six years after the last use",
            "ใช้เพื่อปรับปรุงบริการ หลังเลิกใช้งานมาหกปี",
            ask("analyst-wit", "read", "interests", "student-nok", **improvement),
        ),
        (
            "An event that ended long ago (E-02)",
            "กิจกรรมที่สิ้นสุดไปนานแล้ว",
            ask("svc-songsuk", "read", "contact", "student-dao", purpose="event"),
        ),
    ):
        _struck(book, "retention", en, th, request)
    book.permit(
        "processor-use",
        "An event that is running",
        "กิจกรรมที่ยังดำเนินอยู่",
        ask("svc-songsuk", "read", "contact", "student-ton", purpose="event"),
    )
    _struck(
        book,
        "objected",
        "An objection to improvement (N-32)",
        "คัดค้านการใช้ข้อมูลเพื่อปรับปรุงบริการ",
        ask("analyst-wit", "read", "service_usage", "student-dao", **improvement),
    )
    for whom, en, th in (
        ("student-dao", "A consent taken back (E-03)", "ถอนความยินยอมแล้ว"),
        ("student-mali", "A consent never given", "ไม่เคยให้ความยินยอม"),
    ):
        request = ask("svc-songsuk", "read", "contact", whom, **marketing)
        _struck(book, "withdrawn", en, th, request)
    for who, whom, en, th in (
        ("teacher-preecha", "student-bua", "Processing is restricted (N-35)", "ระงับการใช้ข้อมูล"),
        ("parent-kesorn", "student-phu", "An erasure is approved (N-34)", "อนุมัติให้ลบข้อมูลแล้ว"),
    ):
        request = ask(who, "read", "assessment_result", whom)
        _struck(book, "restricted", en, th, request)
    _struck(
        book,
        "not-needed",
        "Advice does not need the use of functions (E-01)",
        "การให้คำแนะนำไม่จำเป็นต้องใช้ประวัติการใช้งาน",
        ask("parent-somchai", "read", "service_usage", "student-mali", purpose="advice"),
    )
    _struck(
        book,
        "no-fields",
        "Only a field that support does not need",
        "ขอเฉพาะช่องข้อมูลที่ฝ่ายบริการไม่จำเป็นต้องใช้",
        ask(
            "support-aom",
            "read",
            "contact",
            "parent-somchai",
            fields=["birth_date"],
            purpose="support",
            ticket="ticket-201",
        ),
    )


def about_words(book: Book) -> None:
    """No rule at all, a purpose left out, and words that page 2 does not know."""
    mali = "student-mali"
    _struck(
        book,
        "no_rule",
        "A platform administrator sees nobody's data by that role",
        "ผู้ดูแลระบบไม่เห็นข้อมูลของใครโดยตำแหน่ง",
        ask("ops-krung", "read", "identity", mali),
    )
    _struck(
        book,
        "purpose_required",
        "A company has to say what for",
        "บริษัทต้องระบุวัตถุประสงค์",
        ask("svc-learnlab", "read", "identity", mali),
    )
    _struck(
        book,
        "unknown_category",
        "No such category of data",
        "ไม่มีประเภทข้อมูลนี้",
        ask("parent-somchai", "read", "horoscope", mali),
    )
    _struck(
        book,
        "unknown_action",
        "No such action",
        "ไม่มีการกระทำนี้",
        ask("parent-somchai", "admire", "identity", mali),
    )
    _struck(
        book,
        "unknown_purpose",
        "No such purpose",
        "ไม่มีวัตถุประสงค์นี้",
        ask("parent-somchai", "read", "identity", mali, purpose="curiosity"),
    )

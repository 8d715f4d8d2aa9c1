"""Scenes of those who work with the data of others: companies, authorities, the staff."""

from authz.cli.demo.scene import Book, ask


def outside(book: Book) -> None:
    """N-24 to N-26: a contract or an order, its people, categories, dates and country."""
    book.permit(
        "processor-use",
        "A company sees of a class what its contract names (the school is left out)",
        "บริษัทเห็นเฉพาะช่องข้อมูลที่สัญญาระบุ",
        ask(
            "svc-learnlab",
            "read",
            "affiliation",
            "student-mali",
            fields=["school", "grade"],
            purpose="service",
        ),
    )
    book.permit(
        "processor-use",
        "A company abroad under safeguards (N-26)",
        "บริษัทต่างประเทศที่มีมาตรการคุ้มครองเหมาะสม",
        ask("svc-harbour", "read", "service_usage", "student-mali", purpose="service"),
    )
    for who, category, whom, en, th in (
        ("svc-faraway", "service_usage", "student-mali", "A transfer without a basis (N-26)",
         "โอนข้อมูลไปต่างประเทศโดยไม่มีฐานรองรับ"),
        ("svc-learnlab", "identity", "student-dao", "A school outside the contract",
         "โรงเรียนที่ไม่อยู่ในสัญญา"),
        ("svc-learnlab", "satisfaction", "student-mali", "A contract that has ended",
         "สัญญาสิ้นสุดแล้ว"),
    ):  # fmt: skip
        request = ask(who, "read", category, whom, purpose="service")
        book.refuse("processor-use", "no_rule", en, th, request)
    book.permit(
        "processor-onward",
        "A company hands an address on to its sub-processor, with consent",
        "บริษัทส่งอีเมลต่อให้ผู้รับจ้างช่วง โดยเจ้าของข้อมูลยินยอม",
        ask("svc-songsuk", "disclose", "contact", "student-ton", purpose="marketing"),
    )
    book.refuse(
        "processor-onward",
        "no_rule",
        "The contract allows no sub-processing",
        "สัญญาไม่อนุญาตให้จ้างช่วง",
        ask("svc-learnlab", "disclose", "identity", "student-mali", purpose="service"),
    )
    duty = {"purpose": "legal_duty", "order": "order-eef"}
    book.permit(
        "authority-receive",
        "A fund receives what its order names (N-25)",
        "กสศ. ได้รับข้อมูลตามคำสั่ง",
        ask("svc-eef", "read", "affiliation", "student-mali", **duty),
    )
    book.permit(
        "authority-receive",
        "An order goes on where processing is restricted",
        "แม้ระงับการใช้ข้อมูล คำสั่งของหน่วยงานยังมีผล",
        ask("svc-eef", "disclose", "identity", "student-bua", **duty),
    )
    book.permit(
        "authority-receive",
        "A court, about somebody who left two years ago",
        "ศาลขอข้อมูลของผู้ที่พ้นสภาพไปแล้วสองปี",
        ask(
            "svc-court",
            "read",
            "contact",
            "student-arun",
            purpose="legal_duty",
            order="order-court",
        ),
    )
    for order, en, th in (
        ("order-eef-ended", "An order that has run out", "คำสั่งหมดอายุ"),
        ("order-court", "Another authority's order", "คำสั่งของหน่วยงานอื่น"),
    ):
        request = ask(
            "svc-eef", "read", "identity", "student-mali", purpose="legal_duty", order=order
        )
        book.refuse("authority-receive", "no_rule", en, th, request)


def staff(book: Book) -> None:
    """E-05: a ticket, an order of goods, an assignment or a case binds each look."""
    book.permit(
        "support-read",
        "Support reads what the open ticket needs",
        "ฝ่ายบริการดูข้อมูลติดต่อของผู้แจ้งเรื่องที่ยังเปิดอยู่",
        ask(
            "support-aom",
            "read",
            "contact",
            "parent-somchai",
            purpose="support",
            ticket="ticket-201",
        ),
    )
    book.refuse(
        "support-read",
        "no_rule",
        "A ticket that is closed",
        "เรื่องที่ปิดไปแล้ว",
        ask(
            "support-aom",
            "read",
            "contact",
            "parent-wanida",
            purpose="support",
            ticket="ticket-198",
        ),
    )
    book.permit(
        "order-read",
        "A clerk reads where to send the books",
        "ฝ่ายจัดส่งดูที่อยู่สำหรับส่งหนังสือ",
        ask("clerk-bank", "read", "delivery", "parent-somchai", purpose="commerce"),
    )
    book.permit(
        "order-read",
        "Received 89 days ago",
        "รับของแล้วแปดสิบเก้าวัน",
        ask("clerk-bank", "read", "purchase", "parent-suda", purpose="commerce"),
    )
    book.refuse(
        "order-read",
        "no_rule",
        "Received 91 days ago",
        "รับของแล้วเก้าสิบเอ็ดวัน",
        ask("clerk-bank", "read", "purchase", "parent-wanida", purpose="commerce"),
    )
    for action, en, th in (
        ("read", "A mentor reads the profile", "พี่เลี้ยงดูแฟ้มผู้เรียน"),
        ("update", "A mentor writes advice", "พี่เลี้ยงเขียนคำแนะนำ"),
    ):
        rule = "mentor-read" if action == "read" else "mentor-write"
        for whom in ("student-ton", "student-dao"):
            request = ask("mentor-pim", action, "learner_profile", whom, purpose="advice")
            if whom == "student-ton":
                book.permit(rule, en, th, request)
            else:
                ended = f"{en}, after the assignment has ended"
                book.refuse(rule, "no_rule", ended, f"{th}หลังสิ้นสุดการดูแล", request)
    improvement = {"purpose": "improvement"}
    book.permit(
        "analyst-read",
        "An analyst reads the use of functions, under a pseudonym",
        "นักวิเคราะห์ดูการใช้งานโดยใช้นามแฝง",
        ask("analyst-wit", "read", "service_usage", "student-mali", **improvement),
    )
    book.refuse(
        "analyst-read",
        "no_rule",
        "An analyst whose grant has run out",
        "นักวิเคราะห์ที่หมดสิทธิแล้ว",
        ask("analyst-june", "read", "service_usage", "student-mali", **improvement),
    )
    duty = {"purpose": "legal_duty"}
    for action, category, whom, case, en, th in (
        ("read", "assessment_result", "student-mali", "case-rights-mali",
         "The DPO reads for a rights request", "เจ้าหน้าที่คุ้มครองข้อมูลดูข้อมูลตามคำขอใช้สิทธิ"),
        ("delete", "identity", "student-phu", "case-rights-arun",
         "The DPO carries out an approved erasure", "เจ้าหน้าที่คุ้มครองข้อมูลลบข้อมูลที่อนุมัติแล้ว"),
        ("read", "contact", "student-ton", "case-incident-7",
         "The DPO sees who was affected by an incident",
         "เจ้าหน้าที่คุ้มครองข้อมูลตรวจสอบผู้ได้รับผลกระทบ"),
    ):  # fmt: skip
        request = ask("dpo-siri", action, category, whom, case=case, **duty)
        book.permit("dpo-case", en, th, request)
    for action, whom, case, en, th in (
        ("update", "student-ton", "case-incident-7", "An incident changes no data",
         "เหตุละเมิดไม่ให้สิทธิแก้ไขข้อมูล"),
        ("read", "student-krit", "case-closed", "A case that is closed", "เรื่องที่ปิดแล้ว"),
    ):  # fmt: skip
        request = ask("dpo-siri", action, "contact", whom, case=case, **duty)
        book.refuse("dpo-case", "no_rule", en, th, request)
    book.permit(
        "dpo-log",
        "The DPO reads an access log",
        "เจ้าหน้าที่คุ้มครองข้อมูลดูบันทึกการเข้าใช้",
        ask("dpo-siri", "read", "access_log", "student-dao", **duty),
    )
    book.refuse(
        "dpo-log",
        "no_rule",
        "A platform administrator does not read logs",
        "ผู้ดูแลระบบดูบันทึกการเข้าใช้ของผู้อื่นไม่ได้",
        ask("ops-krung", "read", "access_log", "student-dao", **duty),
    )

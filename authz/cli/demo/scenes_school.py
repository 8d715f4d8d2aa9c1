"""Scenes of the people in and around a school: themselves, parents, teachers, heads."""

from authz.cli.demo.scene import Book, ask


def themselves(book: Book) -> None:
    """N-30, N-31: the person's own rights."""
    mali = "student-mali"
    book.permit(
        "self-read",
        "A student reads her own learner profile",
        "นักเรียนดูแฟ้มผู้เรียนของตนเอง",
        ask(mali, "read", "learner_profile", mali),
    )
    book.permit(
        "self-read",
        "A restriction of processing leaves the person's own reading (N-35)",
        "แม้ระงับการใช้ข้อมูลแล้ว เจ้าของข้อมูลยังดูข้อมูลตนเองได้",
        ask("student-bua", "read", "assessment_result", "student-bua"),
    )
    book.permit(
        "self-read",
        "Without a named order, the one kept longest counts (N-12)",
        "ไม่ระบุคำสั่งซื้อ จึงนับจากรายการที่เก็บได้นานที่สุด",
        ask("parent-suda", "read", "purchase", "parent-suda", purpose="commerce"),
    )
    book.refuse(
        "self-read",
        "no_rule",
        "A classmate's learner profile is not one's own",
        "แฟ้มผู้เรียนของเพื่อนไม่ใช่ข้อมูลของตนเอง",
        ask("student-tan", "read", "learner_profile", mali),
    )
    book.permit(
        "self-export",
        "A student takes her results with her (N-31)",
        "นักเรียนขอรับผลการเรียนของตนเองในรูปแบบที่นำไปใช้ต่อได้",
        ask(mali, "export", "assessment_result", mali),
    )
    book.refuse(
        "self-export",
        "no_rule",
        "An export for support is nobody's rule",
        "ไม่มีกฎให้ส่งออกข้อมูลเพื่อการบริการช่วยเหลือ",
        ask(mali, "export", "identity", mali, purpose="support"),
    )
    book.permit(
        "self-update",
        "A father changes his own telephone number",
        "ผู้ปกครองแก้ไขหมายเลขโทรศัพท์ของตนเอง",
        ask("parent-somchai", "update", "contact", "parent-somchai", fields=["phone"]),
    )
    book.refuse(
        "self-update",
        "no_rule",
        "Nobody renames themselves",
        "เปลี่ยนชื่อและนามสกุลของตนเองไม่ได้",
        ask(mali, "update", "identity", mali),
    )


def parents(book: Book) -> None:
    """N-22: a guardianship and a minor, both on the day of the question."""
    book.permit(
        "parent-read",
        "A father reads his daughter's results",
        "พ่อดูผลการเรียนของลูกสาว",
        ask("parent-somchai", "read", "assessment_result", "student-mali"),
    )
    book.permit(
        "parent-read",
        "The day before the 20th birthday",
        "วันก่อนลูกอายุครบยี่สิบปี",
        ask("parent-wirat", "read", "assessment_result", "student-fah"),
    )
    book.permit(
        "parent-read",
        "A teacher of the school reads her son's profile as his mother",
        "ครูดูแฟ้มผู้เรียนของลูกชายในฐานะแม่",
        ask("teacher-kanya", "read", "learner_profile", "student-tan"),
    )
    book.permit(
        "parent-read",
        "A guardian whom only a fact names",
        "ผู้ปกครองที่บันทึกไว้นอกทะเบียนโรงเรียน",
        ask("guardian-ratree", "read", "contact", "student-kaew"),
    )
    book.permit(
        "parent-read",
        "A suspended student is still his mother's son",
        "นักเรียนถูกระงับบัญชี แต่แม่ยังดูข้อมูลของลูกได้",
        ask("parent-nipa", "read", "affiliation", "student-ice"),
    )
    for who, whom, en, th in (
        ("parent-somchai", "student-krit", "Somebody else's child", "ลูกของคนอื่น"),
        ("relative-yai", "student-mali", "A relative is no guardian", "ญาติไม่ใช่ผู้ปกครอง"),
        ("parent-prani", "student-nat", "The 20th birthday itself", "วันที่ลูกอายุครบยี่สิบปี"),
        ("parent-boonmee", "student-krit", "An emancipated son", "ลูกที่บรรลุนิติภาวะก่อนอายุ"),
        ("parent-orathai", "student-mek", "No birth date known", "ไม่ทราบวันเกิดของลูก"),
        ("parent-decha", "student-tan", "A guardianship that has ended", "สิ้นอำนาจปกครองแล้ว"),
    ):
        request = ask(who, "read", "assessment_result", whom)
        book.refuse("parent-read", "no_rule", en, th, request)
    book.permit(
        "parent-export",
        "A mother exports her daughter's results",
        "แม่ขอสำเนาผลการเรียนของลูกสาว",
        ask("parent-wanida", "export", "assessment_result", "student-mali"),
    )
    book.refuse(
        "parent-export",
        "no_rule",
        "A son who is twenty today exports for himself",
        "ลูกอายุครบยี่สิบปีแล้ว ต้องขอสำเนาเอง",
        ask("parent-prani", "export", "assessment_result", "student-nat"),
    )
    book.permit(
        "parent-update",
        "A mother changes the e-mail address on file for her daughter",
        "แม่แก้ไขอีเมลของลูกสาว",
        ask("parent-wanida", "update", "contact", "student-mali", fields=["email"]),
    )
    book.refuse(
        "parent-update",
        "no-fields",
        "A birth date is the school's to vouch for",
        "วันเกิดต้องให้โรงเรียนเป็นผู้รับรอง",
        ask("parent-wanida", "update", "contact", "student-mali", fields=["birth_date"]),
    )
    book.permit(
        "parent-answer",
        "A father answers the questionnaire on interests",
        "พ่อตอบแบบสอบถามความสนใจแทนลูก",
        ask("parent-somchai", "update", "interests", "student-mali"),
    )
    book.refuse(
        "parent-answer",
        "no_rule",
        "A grandmother does not answer for the child",
        "ยายตอบแบบสอบถามแทนหลานไม่ได้",
        ask("relative-yai", "update", "interests", "student-mali"),
    )


def schools(book: Book) -> None:
    """N-20, N-21: the class that is running, and the school one belongs to."""
    book.permit(
        "teacher-read",
        "A homeroom teacher reads a pupil's results",
        "ครูประจำชั้นดูผลการเรียนของนักเรียนในห้อง",
        ask("teacher-somsri", "read", "assessment_result", "student-mali"),
    )
    book.refuse(
        "teacher-read",
        "no_rule",
        "Last year's teacher, whose class has ended",
        "ครูประจำชั้นปีที่แล้ว ซึ่งห้องเรียนสิ้นสุดแล้ว",
        ask("teacher-preecha", "read", "assessment_result", "student-mali"),
    )
    book.permit(
        "teacher-grade",
        "A mathematics teacher marks in his class",
        "ครูคณิตศาสตร์ให้คะแนนในชั้นเรียนของตน",
        ask("teacher-danai", "update", "assessment_result", "student-mali", class_="doi-p5-math"),
    )
    for class_, en, th in (
        (None, "Marking names the class", "ให้คะแนนโดยไม่ระบุชั้นเรียน"),
        ("doi-p5-sci", "Marking in a colleague's class", "ให้คะแนนในชั้นเรียนของครูคนอื่น"),
    ):
        extra = {"class_": class_} if class_ else {}
        book.refuse(
            "teacher-grade",
            "no_rule",
            en,
            th,
            ask("teacher-danai", "update", "assessment_result", "student-mali", **extra),
        )
    book.permit(
        "assistant-read",
        "An aide reads the names of her class",
        "ครูพี่เลี้ยงดูชื่อนักเรียนในห้อง",
        ask("aide-noi", "read", "identity", "student-kaew"),
    )
    book.permit(
        "assistant-read",
        "A proctor checks who sits in the room",
        "กรรมการคุมสอบตรวจสอบสังกัดผู้เข้าสอบ",
        ask("aide-jira", "read", "affiliation", "student-nat"),
    )
    book.refuse(
        "assistant-read",
        "no_rule",
        "An aide does not see results",
        "ครูพี่เลี้ยงดูผลการเรียนไม่ได้",
        ask("aide-noi", "read", "assessment_result", "student-kaew"),
    )
    for admin, en, th in (
        ("admin-prapai", "A principal reads a result", "ผู้อำนวยการดูผลการเรียน"),
        ("admin-area", "So does the area office above", "เขตพื้นที่การศึกษาดูผลการเรียน"),
    ):
        request = ask(admin, "read", "assessment_result", "student-mali")
        book.permit("school-read", en, th, request)
    book.refuse(
        "school-read",
        "no_rule",
        "The principal of another school",
        "ผู้อำนวยการโรงเรียนอื่น",
        ask("admin-suri", "read", "assessment_result", "student-mali"),
    )
    book.permit(
        "school-export",
        "A school exports its results",
        "โรงเรียนส่งออกผลการเรียน",
        ask("admin-prapai", "export", "assessment_result", "student-mali"),
    )
    book.refuse(
        "school-export",
        "no_rule",
        "A school does not export contact data",
        "โรงเรียนส่งออกข้อมูลติดต่อไม่ได้",
        ask("admin-prapai", "export", "contact", "student-mali"),
    )
    book.permit(
        "school-maintain",
        "A school corrects a birth date",
        "โรงเรียนแก้ไขวันเกิดให้ถูกต้อง",
        ask("admin-it", "update", "contact", "student-mali", fields=["birth_date"]),
    )
    book.refuse(
        "school-maintain",
        "no_rule",
        "A school does not correct a teacher's marks",
        "ฝ่ายบริหารแก้คะแนนของครูไม่ได้",
        ask("admin-it", "update", "assessment_result", "student-mali"),
    )
    book.permit(
        "school-reset",
        "A password is reset with a second factor (N-45)",
        "ตั้งรหัสผ่านใหม่โดยยืนยันตัวตนสองชั้น",
        ask("admin-it", "update", "credentials", "student-mali", mfa=True),
    )
    book.refuse(
        "school-reset",
        "no_rule",
        "No reset without a second factor",
        "ตั้งรหัสผ่านใหม่โดยไม่ยืนยันตัวตนสองชั้น",
        ask("admin-it", "update", "credentials", "student-mali"),
    )
    flood = "น้ำท่วมโรงเรียน ต้องแจ้งผู้ปกครอง"
    book.permit(
        "school-emergency",
        "Break-glass: another school's principal in a flood (N-44)",
        "เหตุฉุกเฉิน: ผู้อำนวยการโรงเรียนอื่นช่วยติดต่อผู้ปกครองเมื่อน้ำท่วม",
        ask("admin-chai", "read", "contact", "student-mali", justification=flood),
    )
    book.refuse(
        "school-emergency",
        "no_rule",
        "Break-glass without a reason",
        "เหตุฉุกเฉินแต่ไม่ให้เหตุผล",
        ask("admin-chai", "read", "contact", "student-mali"),
    )

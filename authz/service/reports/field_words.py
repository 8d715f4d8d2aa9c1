"""The words of the fields of data, in Thai and English: for reports and for the screens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from authz.service.reports.document import Texts


def _of(table: str) -> Mapping[str, Texts]:
    """A line for each field: its name, its Thai, its English, with bars between."""
    lines = (line.split(" | ") for line in table.strip().splitlines())
    return {name: {"th": thai, "en": english} for name, thai, english in lines}


FIELDS: Final = _of("""
account | บัญชี | account
acknowledged | การรับทราบ | acknowledgements
activity | กิจกรรม | activity
address | ที่อยู่ | address
advice | คำแนะนำ | advice
answer | คำตอบ | answer
assessment | แบบทดสอบ | assessment
assignee | ผู้รับผิดชอบ | in whose hands
at | เวลา | time
birth_date | วันเกิด | birth date
campaigns | การทบทวน | reviews
card | บัตร | card
category | ประเภทข้อมูล | kind of data
changed | การเปลี่ยนแปลง | changes
class | ชั้นเรียน | class
classes | ชั้นเรียน | classes
comment | ความเห็น | comment
contracts | สัญญา | contracts
decision | ผลการพิจารณา | decision
definitions | แบบการทบทวน | definitions of reviews
device | อุปกรณ์ | device
due_at | วันครบกำหนด | due
email | อีเมล | e-mail
emergencies | การเข้าถึงฉุกเฉิน | emergency access
ended_at | สิ้นสุดแล้ว | ended
event | เหตุการณ์ | event
evidence | หลักฐาน | evidence
exports | การส่งออก | exports
family_name | นามสกุล | family name
function | ฟังก์ชัน | function
gender | เพศ | gender
given_at | เวลาที่ให้ | given
given_name | ชื่อ | given name
grade | ระดับชั้น | grade
granted_by | ผู้ให้สิทธิ | granted by
guardian | ผู้ปกครอง | guardian
ip_address | ที่อยู่ไอพี | IP address
item_analysis | ผลวิเคราะห์รายข้อ | analysis by item
items | รายการ | items
kind | ประเภท | kind
last_used | ใช้ล่าสุด | last use
list | รายการ | list
matrix | ตารางนโยบาย | matrix of the policy
max_score | คะแนนเต็ม | highest score possible
message | ข้อความ | message
method | วิธีการ | method
name | ชื่อ | name
national_id | เลขประจำตัวประชาชน | national ID
notice | ประกาศ | notice
opened_at | เวลาที่เปิดเรื่อง | opened
order | คำสั่งซื้อ | order
ordered_at | เวลาที่สั่งซื้อ | ordered
organisation | องค์กร | organisation
password | รหัสผ่าน | password
people | บุคคล | people
phone | โทรศัพท์ | phone
processors | ผู้ประมวลผลข้อมูล | processors
progress | ความก้าวหน้า | progress
purpose | วัตถุประสงค์ | purpose
questionnaire | แบบสอบถาม | questionnaire
rating | คะแนนความพึงพอใจ | rating
readers | ผู้อ่านประกาศ | readers of a notice
reason | เหตุผล | reason
received_at | เวลาที่ได้รับ | received
recipient | ผู้รับ | recipient
records | บันทึก | records
register | ทะเบียน | register
reports | รายงาน | reports
requests | คำขอ | requests
restriction | ข้อจำกัด | restriction
rights | สิทธิ | rights
role | บทบาท | role
school | โรงเรียน | school
schools | โรงเรียน | schools
score | คะแนน | score
second_factor | การยืนยันตัวตนขั้นที่สอง | second factor
sessions | อุปกรณ์ที่เข้าสู่ระบบ | where signed in
sign_in | บัญชีเข้าใช้ | sign-in
sign_ins | บัญชีเข้าใช้ | sign-ins
since | ตั้งแต่ | since
started_at | เวลาเริ่ม | started
state | สถานะ | state
status | สถานะบัญชี | status of the account
strengths | จุดแข็ง | strengths
subject | หัวเรื่อง | subject line
survey | แบบสำรวจ | survey
taken_at | เวลาที่ทดสอบ | taken
text | ข้อความ | text
texts | ข้อความ | texts
total | ยอดรวม | total
until | ถึง | until
unusual | สิ่งผิดปกติ | what is unusual
username | ชื่อผู้ใช้ | user name
uses | การใช้งาน | uses
verdicts | ผลการทบทวน | verdicts
verification | การตรวจสอบความถูกต้อง | verification
versions | รุ่นของนโยบาย | versions of the policy
waiting | สิ่งที่รอดำเนินการ | what waits
weaknesses | จุดที่ควรพัฒนา | weaknesses
when | เวลา | when
who | ใคร | who
whom | เห็นข้อมูลของใคร | whose data they see
withdrawn_at | เวลาที่ถอน | withdrawn
""")
"""Those of the packs that come with this: the policy's and the screens'."""

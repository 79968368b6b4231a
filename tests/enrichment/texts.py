"""Real texts for the stub provider: one paragraph in each language, and the shapes that notes come in."""

from typing import NamedTuple


class Paragraph(NamedTuple):
    text: str
    subject: str
    empty_words: tuple[str, ...]


PARAGRAPHS = {
    "en": Paragraph(
        "Tides are the regular rise and fall of the sea. They are caused by the pull of the moon and, to a "
        "lesser degree, of the sun. When sun and moon stand in one line, their pull adds up and the tide is "
        "especially high: sailors call it a spring tide. In narrow bays the water can climb more than ten "
        "metres. Fishermen have kept tide tables for centuries, because the tide decides when a boat can "
        "leave the harbour.",
        subject="tide",
        empty_words=("the", "when", "they"),
    ),
    "de": Paragraph(
        "Die Gezeiten sind das regelmäßige Steigen und Fallen des Meeres. Sie entstehen durch die "
        "Anziehungskraft des Mondes und, in geringerem Maße, der Sonne. Stehen Sonne und Mond in einer "
        "Linie, so addiert sich ihre Anziehungskraft, und die Flut ist besonders hoch; Seeleute nennen sie "
        "Springflut. In engen Buchten kann das Wasser um mehr als zehn Meter steigen. Fischer führen seit "
        "Jahrhunderten Gezeitentafeln, z. B. um zu wissen, wann ein Boot den Hafen verlassen kann.",
        subject="anziehungskraft",
        empty_words=("die", "und", "mehr"),
    ),
    "fr": Paragraph(
        "Le pain au levain demande du temps plutôt que du travail. On mélange la farine, l'eau et le levain "
        "le soir, puis on laisse la pâte reposer toute la nuit. Le matin, la pâte a doublé de volume et sent "
        "légèrement l'acide. Il faut un four très chaud et un peu de vapeur pour obtenir une croûte dorée. "
        "Un bon pain au levain se conserve presque une semaine.",
        subject="levain",
        empty_words=("plutôt", "puis", "dans"),
    ),
    "es": Paragraph(
        "¿Por qué cantan los pájaros al amanecer? Los biólogos creen que el aire tranquilo de la mañana "
        "lleva el canto más lejos. Además, antes de que salga el sol hay poca luz para buscar comida, de "
        "modo que los pájaros aprovechan ese tiempo para defender su territorio. El canto también sirve para "
        "atraer a una pareja. En las ciudades, el ruido del tráfico obliga a muchos pájaros a cantar más "
        "temprano.",
        subject="pájaros",
        empty_words=("además", "antes", "muchos"),
    ),
    "tr": Paragraph(
        "Boğaz köprüsü İstanbul'un iki yakasını birleştirir. Köprü her gün yüz binlerce araç taşır. Sabah "
        "saatlerinde köprü trafiği çok yoğundur ve sürücüler vapuru tercih eder.",
        subject="köprü",
        empty_words=("her", "ve"),
    ),
    "ru": Paragraph(
        "Чайный гриб — это напиток, который получают из сладкого чая с помощью дрожжей и бактерий. Через "
        "неделю брожения чай становится кисловатым и слегка газированным. Гриб плавает на поверхности и "
        "каждый раз образует новый слой. Хранить напиток лучше в холодильнике, чтобы остановить брожение. "
        "Слишком кислый чай можно использовать вместо уксуса.",
        subject="гриб",
        empty_words=("это", "который", "через"),
    ),
    "el": Paragraph(
        "Το ελαιόλαδο είναι η βάση της ελληνικής κουζίνας. Οι ελιές μαζεύονται το φθινόπωρο και πηγαίνουν "
        "αμέσως στο ελαιοτριβείο. Γιατί βιάζονται οι αγρότες; Όσο λιγότερο περιμένουν οι ελιές, τόσο "
        "καλύτερο γίνεται το ελαιόλαδο. Το καλό ελαιόλαδο φυλάσσεται σε σκοτεινό και δροσερό μέρος.",
        subject="ελαιόλαδο",
        empty_words=("όσο", "και"),
    ),
    "ar": Paragraph(
        "تعد القهوة من أكثر المشروبات انتشارا في العالم. بدأت زراعة القهوة في اليمن قبل قرون، ثم انتقلت إلى "
        "بلدان كثيرة. يحمص المزارعون حبوب القهوة حتى تظهر رائحتها المميزة. هل تشرب القهوة في الصباح؟ يشرب "
        "كثير من الناس القهوة مع التمر.",
        subject="القهوة",
        empty_words=("من", "هل"),
    ),
    "hi": Paragraph(
        "मानसून भारत की खेती के लिए बहुत महत्वपूर्ण है। जून में बारिश दक्षिण से शुरू होती है और धीरे-धीरे "
        "उत्तर की ओर बढ़ती है। किसान बारिश के बाद धान की बुवाई करते हैं। अगर मानसून कमजोर हो तो किसान को "
        "सिंचाई पर निर्भर रहना पड़ता है। अच्छी बारिश से नदियाँ और तालाब भर जाते हैं।",
        subject="मानसून",
        empty_words=("है", "के"),
    ),
    "th": Paragraph(
        "กาแฟดอยช้างปลูกบนภูเขาสูงในจังหวัดเชียงราย เกษตรกรเก็บเมล็ดกาแฟในฤดูหนาวแล้วนำไปตากแดด "
        "เมล็ดกาแฟที่คั่วใหม่มีกลิ่นหอม นักท่องเที่ยวนิยมแวะดื่มกาแฟและชมวิวภูเขา "
        "รายได้จากกาแฟช่วยให้ชุมชนบนดอยมีชีวิตที่ดีขึ้น",
        subject="กาแฟ",
        empty_words=("ที่", "และ"),
    ),
    "zh": Paragraph(
        "电动汽车的电池是整车最贵的部件。电池的容量决定了电动汽车的续航里程,而低温会让电池的性能下降。为了延长电池寿命,很多车主"
        "只把电量充到百分之八十。充电站的数量正在快速增加,但是节假日高速公路上的充电站仍然要排队。未来的固态电池可能会改变这一情况。",
        subject="电池",
        empty_words=("的", "而"),
    ),
    "ja": Paragraph(
        "京都の秋は紅葉の季節です。寺院の庭園には多くの観光客が訪れ、ライトアップされた紅葉を楽しみます。人気のある寺院では、朝早"
        "く行くと静かに写真を撮ることができます。バスは混雑するので、地下鉄やレンタサイクルがおすすめです。紅葉の見頃は十一月の中旬から下旬までです。",
        subject="紅葉",
        empty_words=("です", "ます"),
    ),
    "ko": Paragraph(
        "김치는 한국의 대표적인 발효 음식이다. 배추를 소금에 절인 뒤 고춧가루와 마늘, 젓갈을 넣어 버무린다. "
        "김치는 온도에 따라 발효 속도가 달라진다. 그래서 많은 가정에서 김치 "
        "냉장고를 따로 사용한다. 발효가 잘된 김치는 신맛과 감칠맛이 조화를 이룬다.",
        subject="김치",
        empty_words=("그래서", "김치는"),
    ),
}

MANUAL_PAGE = """\
SIFT(1)                          User Commands                         SIFT(1)

NAME
       sift - keep the lines of a file that match a pattern

SYNOPSIS
       sift [OPTION]... PATTERN [FILE]...

DESCRIPTION
       sift  reads  each FILE and prints the lines that match PATTERN.  Without
       a FILE it reads standard input.  Lines keep their order, and a line that
       matches more than once is printed once.

OPTIONS
       -v     Print the lines that do not match the pattern.

SIFT 2.1                          March 2024                           SIFT(1)
"""

README = """\
# frobnicate

[![CI](https://img.example/ci.svg)](https://ci.example/x)
[![PyPI](https://img.example/p.svg)](https://pypi.example/y)

<p align="center"><img src="logo.png"></p>

**frobnicate** turns *plain tables* into charts from the command line.
It reads `CSV` and [Parquet](https://parquet.example), and writes SVG.

## Installation

```sh
pip install frobnicate
```

## Usage

Run `frobnicate sales.csv --by month` to draw a bar chart. Every column becomes a series.

| a | b |
|---|---|
| 1 | 2 |
"""

EMAIL = """\
From: Jo Park <jo@example.org>
To: team@example.org
Date: Mon, 3 Jun 2024 10:12:00 +0200
Subject: Offsite in October: please choose a date
Message-ID: <abc@example.org>

Hi all,

we have three candidate dates for the autumn offsite in Lisbon.
Please fill in the poll until Friday so that I can book the hotel.
Travel costs are covered as usual.

> Did we decide on the city?
Yes, Lisbon won by two votes.

Best,
Jo
--
Jo Park, Operations
"""

METADATA = """\
Metadata-Version: 2.4
Name: frobnicate
Version: 1.2
Summary: Charts from tables, on the command line
Author: Jo Park
License: MIT

Frobnicate draws charts. It needs a table in CSV, with one row of names.
"""

FRONT_MATTER = """\
---
title: 'A year of bees'
date: 2024-01-02
---

We kept two hives on the roof. The bees survived the winter well.
"""

LOG_LINE = "2024-05-01 12:00:00,123 ERROR app.db.pool: connection to server at 10.0.0.5 failed: timeout expired"

SHOPPING_LIST = """\
Shopping list
- 2 l milk
- eggs
- rye bread
- olive oil
- 500 g tomatoes
"""

DEBIAN_CHANGELOG = """\
sift (2.1-1) unstable; urgency=medium

  * Stop reading when the output is closed.
  * Say which file could not be opened.

 -- Jo Park <jo@example.org>  Sun, 03 Mar 2024 10:00:00 +0100
"""

BARE_URL = "https://www.example.com/2024/05/how-to-brew-better-coffee.html?utm=1#top"

HTML = """\
<!DOCTYPE html>
<html><head><title>Owls at night</title></head>
<body><!-- draft --><p>Owls hunt at night. They hear a mouse under the snow &amp; fly without a sound.</p></body></html>
"""

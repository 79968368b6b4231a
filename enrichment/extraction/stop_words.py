# ruff: noqa: RUF001  # letters of other alphabets look like Latin ones because they are those of other languages
"""Words that say nothing about a text, by language. Only those of three letters or more: shorter ones never count."""

import re

STOP_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            about above after again against ago all almost along already also although always among and another any
            anyone anything are around aren away back be because been before being below between both but by came can
            cannot com could couldn did didn does doesn doing don done down during each either else enough etc even
            ever every everything few first following for found from further get gets getting give given gives goes
            going gone got had hadn has hasn have haven having hello her here hers herself him himself his how however
            html http https instead into isn its itself just keep kept last least less let like likely little long look
            looks made make makes making many may maybe might more most much must near need needs neither never new
            next nor not nothing now off often old once one only onto org other others otherwise our ours out over
            own part per perhaps please put quite rather really said same saw say says see seem seems seen several
            shall she should shouldn since some something soon still such take taken takes than try that the their
            theirs them themselves then there therefore these they thing things this those though through thus
            together too took toward two under unless until upon use used useful uses using usually various very via
            want wants was wasn way ways well went were weren what whatever when where whether which while who whole
            whom whose why will with within without won would wouldn www yes yet you your yours yourself
        """,
        "de": """
            aber alle allem allen aller alles als also alt am auch auf aus bald bei beim bereits bin bis bist bzw dabei
            dadurch daher damit danach dann daran darauf daraus darf darüber das dass davon dazu dein deine dem den
            denen denn dennoch der deren des deshalb dessen dich die dies diese diesem diesen dieser dieses dir doch
            dort durch eher eigentlich ein eine einem einen einer eines einige einmal er erst etwa etwas euch euer
            für ganz gar gegen gern gibt haben hat hatte hatten hätte heute hier hin hinter ich ihm ihn ihnen ihr ihre
            ihrem ihren ihrer immer ist jede jedem jeden jeder jedes jedoch jetzt kann kein keine keinen können könnte
            lassen machen macht man mehr mein meine mich mir mit muss müssen nach neben nicht nichts noch nun nur oder
            ohne sehr sei sein seine seinem seinen seiner seit sich sie sind soll sollen sollte sondern sowie über um
            und uns unser unsere unter viel viele vom von vor war waren warum was weg weil weiter welche welcher wenig
            wenn wer werden wie wieder will wir wird wirklich wissen wollen worden wurde wurden würde würden während
            zu zum zur zwar zwei zwischen
        """,
        "fr": """
            afin ainsi alors après assez aucun aucune aujourd aussi autre autres avait avaient avant avec avoir beaucoup
            bien car ceci cela celle celles celui cent ces cet cette ceux chaque chez comme comment contre dans
            deja déjà depuis des deux devant doit donc dont elle elles encore entre est été étaient était être eux fait
            faire fais faut font fois hors ici ils jamais jusqu laquelle leur leurs lors lorsque lui mais mes mieux
            moi moins mon notre nos nous ont onze par parce parfois pas pendant peu peut peuvent plus plusieurs plutôt
            pour pourquoi pouvez presque puis quand que quel quelle quelles quelque quelques quels qui quoi sans sauf
            selon sera sert ses seulement sien soit son sont sous suis sur surtout tant tel telle tels tes toi ton
            toujours tous tout toute toutes très trop une unes vers voici voilà vont vos votre vous
        """,
        "es": """
            ahora algo alguna algunas alguno algunos ante antes aquel aquella aquellos aquí así aun aún aunque bajo
            bien cada casi como cómo con contra cosas cual cuál cuando cuándo cuanto dado debe deben del desde después
            donde dónde dos durante ella ellas ello ellos entonces entre era eran eres esa esas ese eso esos esta está
            estaba están estar estas este esto estos fue fueron fui gran hace hacen hacer hacia han hasta hay incluso
            las les los luego mas más menos mientras mis misma mismas mismo mismos mucha muchas mucho muchos muy nada
            nadie nos nosotros nuestra nuestro nunca otra otras otro otros para parte pero poco podemos por porque
            puede pueden pues qué que quien quién sea según ser será sido siempre sin sino sobre solo sólo somos son
            soy sus tal también tan tanto tener tengo tiene tienen toda todas todo todos tras tres una unas uno unos
            usted ustedes vez vosotros
        """,
        "it": """
            abbiamo alcuni alla alle allo allora altre altri altro anche ancora avere aveva bene che chi ciò come con
            contro cosa così cui dai dal dalla dalle dallo degli dei del della delle dello dentro deve dopo dove due
            durante ecco era erano essere fare fino fra già gli grazie hai hanno infatti loro lui lungo mai meno mentre
            mia mio molti molto negli nei nel nella nelle nello noi non nostra nostro nulla ogni oggi oltre oppure
            ora perché per perciò più poco poi prima può qualche quale quali quando quanto quasi quella quelle quelli
            quello questa queste questi questo qui quindi senza sempre sia sono sopra sotto stata stato stessa stesso
            sua sue sugli sui sul sulla sulle suo suoi tanto tra tre tutta tutte tutti tutto una uno verso voi volta
        """,
        "pt": """
            agora ainda algo alguma algumas alguns antes aos apenas aquela aquele após aqui assim até cada com como
            contra da das de dela dele depois desde dessa desse desta deste dever dia dos durante ela elas ele eles
            enquanto entre era eram essa essas esse esses esta está estão estas este estes eu fazer foi for foram
            havia isso isto já lá lhe mais mas menos mesma mesmo meu minha muito muitos nada não nas nem nenhum
            nessa nesta neste nos nós nossa nosso num numa onde ora os ou outra outras outro outros para pela pelas
            pelo pelos pode podem pois por porque pouco qual quando quanto que quem ser será seu seus sem sempre
            sido são sob sobre sua suas também tão tem têm ter toda todas todo todos tudo uma umas uns vai vez você
        """,
        "nl": """
            aan achter alle alleen als altijd andere ben bent bij daar dan dat deze die dit doen door dus een eens
            elke enkele er even geen geweest haar had heb hebben heeft hem hen het hier hij hoe hun iets iemand
            ieder ik in is ja je jij jou jouw kan kon kunnen maar maken meer men met mij mijn moet moeten mogen na naar
            niet niets nog nooit nu of om omdat onder ons onze ook op over samen sinds te tegen toch toen tot tussen
            uit uw van vaak veel via voor waar waarom wat we weer wel welke werd wie wij wil worden wordt zal ze zelf
            zich zij zijn zo zoals zonder zou zullen
        """,
        "pl": """
            aby albo ale ani bardzo bez był była było były być być chce choć ciebie czy czyli dla dlaczego dlatego
            dobrze gdy gdyby gdzie ich ile inne inny jak jaka jakie jako jednak jego jej jest jestem jeszcze jeśli już
            każdy kiedy kto która które którego której który których którzy lub mają mamy mnie może można mój musi
            nad nam nas nasz nawet nic nich nie niego niej nim niż oraz pan pod podczas ponieważ poza przed przede
            przez przy raz również się skąd sobie swoje tak taka takie także tam tego tej ten też tutaj tych tylko
            tym wam was wszystkie wszystko więc właśnie żadna żeby
        """,
        "sv": """
            alla allt andra att av bara blev bli blir då dag de del dem den denna deras dess dessa det detta dig din
            dock där efter eller en ett från för före genom göra han hans har hade hej hela hennes här hon honom hur
            icke ingen innan inte jag kan kommer kunde man med mellan men mer mig min mot mycket måste ned nej ni nu
            när någon något några och också om oss på redan samma sedan sig sin ska skulle som sådan så till under
            upp ut utan vad var vara varför vi vid vilken vill är över
        """,
        "tr": """
            acaba ama ancak arada artık aslında ayrıca bana bazı belki ben beni benim bile bir biri birkaç birçok biz
            bize bizim bu buna bunlar bunu bunun burada böyle bütün çok çünkü daha dahi değil diğer diye dolayı eğer en
            fakat gibi göre hangi hatta hem henüz her hiç için ile ilk ise kadar kendi kez ki kim mı nasıl neden nerede
            niye olan olarak oldu olduğu olmak olur ona onlar onu onun orada oysa pek rağmen sadece sana sen senin
            siz sonra şey şu şöyle tarafından tüm üzere var ve veya ya yani yapılan yine yok zaten
        """,
        "ru": """
            без более больше будет будто будут бывает был была были было быть вам вас ваш весь вдруг ведь во вот все
            всё всегда всего всех всю вы где говорил год даже два для до другой его едва если есть ещё еще же за зачем
            здесь из или им иногда их как какая какой кем когда кого которая которые который которых кроме кто куда
            лишь лучше между меня мне много может можно мой моя мы на над надо наконец нас наш не него нее ней нельзя
            нет неё ни нибудь никогда ним них ничего но ну об один она они оно опять от очень перед по под после потом
            потому почти при про раз разве сам свою своей свой себе себя сегодня сейчас со совсем так также такой там
            тебя тем теперь то тогда того тоже только том тот три ту ты уж уже хорошо хоть чего чем через что чтоб
            чтобы чуть эта эти это этого этой этом этот эту этих является
        """,
        "uk": """
            або адже але без більше був була були було бути вам вас весь він вона вони воно все всі для його їх її
            кожен коли крім лише має майже між мене мені може можна наш неї нема них ніж ніколи один оце перед після
            під поки при про саме себе свій своє свої собі так також такий там тебе теж тепер тих тільки того той тому
            треба тут хто хоча цей це цього цьому ця ці чи через чому щоб яка який які якщо
        """,
        "el": """
            αλλά αλλα αν ανά αντί απο από αυτά αυτές αυτή αυτό αυτοί αυτός αυτού αυτών για γιατί δεν δηλαδή διά εάν
            είμαι
            είναι είχε εδώ εκεί εκείνη εκείνο εμείς ένα έναν ένας ενώ επειδή επί έπειτα έτσι έχει έχουν εσείς ή ήδη ήταν
            θα ίδιο ίσως και κάθε κάποια κάποιος κατά κάτω κι κοντά λοιπόν μας με μέσα μετά μέχρι μην μια μία μόνο μου
            μπορεί να ξανά οι όλα όλη όλοι όμως όπου όπως όσο όταν ότι ούτε όχι πάντα πάρα παρά πια πιο πιστεύω πολλά
            πολλές πολύ πού ποια ποιος πριν προς πρώτα πως σαν σας σε στα στη στην στις στο στον στους συχνά τα την της
            τι τις το τον του τους τότε των τώρα χωρίς ώστε
        """,
        "ar": """
            أحد أكثر كثير كثيرة إذا إذ أن إن أنا أنت أنه إنها أو أول أي أيضا أيضًا إلا إلى التي الذي الذين اللذين الآن
            أمام بأن بسبب بعد
            بعض بل بما بها به بين بينما تحت تكون تم ثم جدا جدًا جميع حتى حول حيث حين خلال دون ذلك رغم سوف شيء ضد ضمن
            عبر عدة عدم على عليه عليها عن عند عندما عنها غير فإن فقط في فيه فيها قال قبل قد كان كانت كل كلما كما كيف لا
            لأن لكل لكن لقد لم لما لماذا لن له لها لهم ليس ليست ما ماذا متى مثل مع معظم من منذ منه منها نحن نحو نفس
            هذا هذه هل هم
            هنا هناك هو هي وأن وإن وفي وقد وكان وكانت ولا ولكن ولم وما ومن وهذا وهو وهي يتم يجب يكون يمكن
        """,
        "fa": """
            آن آنها است اگر اما این اینکه با باید بر برای بسیار بود بودن به بیش بین تا تمام چند چه خود خیلی در دارد
            دارند
            دیگر را روی زیر سپس شد شده شود فقط که کرد کردن کرده کند کنند گفت مانند ما می مورد من نه نیز نیست های هر هم
            همه
            همین هنوز هیچ وقتی پس پیش یا یعنی یک
        """,
        "he": """
            אבל אדם או אולי אותה אותו אותם אז אחד אחת אחר אחרי אחרת איך אין איפה אל אלא אלה אלו אם אנו אנחנו אני אף
            אצל אשר
            את אתה אתם באמת בגלל בדרך בה בו בין בכל בלי בעוד בפני בתוך גם דרך הוא הזה הזאת היא היה היו היום הייתה הם הן
            הנה הרבה זאת זה זו חוץ יותר יש כאן כאשר כבר כדי כי כל כלל כמה כמו כן ככה לא לאחר להיות לו לי לכל לכן למה לפי
            לפני מאוד מאחר מאשר מה מול מי מכל ממש מן מעל מתחת נגד עד עוד על עם עצמו פה פחות רק של שהוא שהיא שלא שלה שלו
            שלהם שלי שלנו שם תוך תמיד תחת
        """,
        "hi": """
            अगर अपना अपनी अपने अब अभी आदि आप इन इनका इनके इस इसका इसकी इसके इसमें इससे इसी इसे उन उनका उनकी उनके उस उसका
            उसकी उसके उसे उसने एक एवं ऐसा ऐसे और कई कम कर करता करते करना करने करें कहा का काफी किया किसी की कुछ के
            केवल को
            कोई कौन क्या क्यों गई गए गया चाहिए जब जहाँ जा जाता जाती जाते जाना जाने जिन जिस जिसका जिसके जिसमें जैसा
            जैसे जो तक
            तथा तब तो था थी थे दिया दो दोनों द्वारा नहीं ने पर परन्तु पहले फिर बहुत बाद बार बिना भी मगर में मैं यदि यह
            यहाँ या
            ये रहा रही रहे रहता लिए लेकिन वह वहाँ वाला वाली वाले वे सकता सकती सकते सब सभी साथ से हम हमारे हर ही हुआ
            हुई हुए हूँ
            है हैं हो होता होती होते होना होने
        """,
    }.items()
}

CHINESE_BREAKS = re.compile(
    "[的了是在和与及或也就都而之其于以被把从这那哪个们我你您他她它不没很吗呢吧啊着只又却更最将会能让使並與於為個這們會從還还更中]"
)
JAPANESE_BREAKS = re.compile("[々]?[私僕彼事物時方為様]")

# Thai has no spaces between words: these particles are where a phrase can be taken apart.
# A vowel before or after one shows that it is only part of a syllable.
THAI_PARTICLES = """
    ที่ และ ใน ของ เป็น มี ได้ ให้ ไป มา จะ ว่า กับ จาก โดย ซึ่ง นี้ นั้น ไม่ แต่ หรือ เพื่อ ก็ อยู่ ต้อง คือ เมื่อ ถ้า เพราะ แล้ว ยัง
    อีก ทุก กว่า มาก สามารถ ทำให้ เรา ฉัน เขา ด้วย ตาม ถึง แบบ ขึ้น ลง เพียง หลาย บาง แต่ละ เช่น ระหว่าง ก่อน หลัง ทั้ง เอง กัน
    คน ผู้ ใช้ ทำ อย่าง ต่อ นำ ช่วย
"""
THAI_BREAKS = re.compile(
    rf"(?<![\u0e40-\u0e44])(?:{'|'.join(sorted(THAI_PARTICLES.split(), key=len, reverse=True))})"
    r"(?![\u0e30-\u0e3a\u0e45-\u0e4e])"
)

KOREAN_PARTICLES = re.compile(
    "(?<=..)(?:에서는|에게서|으로는|이라는|에서|에게|까지|부터|으로|이나|라는|처럼|보다|하는|하고|하며|했다|한다|된다|되는|"
    "합니다|됩니다|입니다|이다|적인|있는|은|는|이|가|을|를|에|의|로|와|과|도|만|다)$"
)
KOREAN_FILLERS = """
    그리고 그러나 하지만 있다 있습니다 없다 것이다 그것 이것 우리 매우 때문 위해 대한 통해 모든 또한 다른 같은 있다는
    그래서
"""
KOREAN_STOP_WORDS = frozenset(KOREAN_FILLERS.split())
